"""The feature groups that ship, a function each; `forecaster.features` has the registry."""
