"""The `forecast data` group; several modules add commands to it."""

from forecaster.cli.app import group

data = group("data", "Inspect, check and export the candle store.")
