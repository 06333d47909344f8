"""Walk-forward evaluation: its folds, fitted one by one or in several worker processes."""
