"""The `forecast data` group, which several modules add to."""

from forecaster.cli.app import group

data = group("data", "Look into the candle store, check it, export it.")
