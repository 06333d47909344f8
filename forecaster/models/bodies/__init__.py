"""The networks that ship; `forecaster.models` has the registry and the contract they keep."""
