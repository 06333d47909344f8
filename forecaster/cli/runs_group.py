"""The `forecast runs` group, which several modules add to."""

from forecaster.cli.app import group

runs = group("runs", "Look into finished runs, compare and export them.")
