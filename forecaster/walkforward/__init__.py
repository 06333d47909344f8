"""Walk-forward evaluation: its folds, one by one or in several processes."""
