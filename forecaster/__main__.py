"""`python -m forecaster` is `forecast`."""

import os
import sys

try:
    here = os.getcwd()  # noqa: PTH109  # importing pathlib would search the current folder first
except OSError:  # the folder was removed
    here = ""
if not sys.flags.safe_path and sys.path[0] == here:
    del sys.path[0]  # `-m` puts the current folder first: a user's calendar.py would shadow the standard library's

from forecaster.cli import main

main()
