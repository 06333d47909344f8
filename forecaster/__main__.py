"""`python -m forecaster` is `forecast`."""

from forecaster.cli import main

main()
