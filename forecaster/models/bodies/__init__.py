"""The built-in networks; `forecaster.models` has their registry and contract."""
