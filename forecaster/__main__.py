"""`python -m forecaster` is `forecast`."""

import os
import sys

try:
    here = os.getcwd()  # noqa: PTH109  # pathlib would be looked for there
except OSError:  # it was removed
    here = ""
if not sys.flags.safe_path and sys.path[0] == here:
    del sys.path[0]  # `-m` puts the present folder first: a calendar.py of the user's would be taken for the library's

from forecaster.cli import main

main()
