"""The `forecast runs` group; several modules add commands to it."""

from forecaster.cli.app import group

runs = group("runs", "List, show, compare, export and delete runs.")
