"""The `forecast runs` group; several modules add commands to it."""

from forecaster.cli.app import group

runs = group("runs", "List, show, compare and export runs.")
