"""The feature groups that ship, one function each; `forecaster.features` has the registry."""
