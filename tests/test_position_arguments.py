"""What `risk` and `odds` answer to arguments of another type, in a process of its own: here types are checked first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from forecaster.workflows.train import TrainedRun
from tests.conftest import ROOT

pytest_plugins = ("tests.studio_fixtures",)

SCRIPT = """
import sys
import numpy as np
import forecaster
from forecaster.errors import InputError

places = {"run": sys.argv[1], "data_dir": sys.argv[2], "offline": True, "paths": 1_000}
prices = [forecaster.odds("AAPL", touch=touch, within=np.int64(3), **places).prices
          for touch in (440, np.int64(440), np.float32(440), np.array([440]))]
print(all(one == prices[0] for one in prices))
for name, given in (("touch", "65"), ("touch", ["440", 420]), ("above", object), ("size", "5"), ("within", 2.5)):
    try:
        forecaster.odds("AAPL", **{name: given}, **places)
    except InputError as error:
        print(error)
for name, given in (("level", "95"), ("level", None), ("days", 2.5), ("days", "3")):
    try:
        forecaster.risk({"AAPL": 1}, **{name: given}, **places)
    except InputError as error:
        print(error)
"""

EXPECTED = """True
--touch is '65': expected a price, or a list of prices.
--touch is ['440', 420]: expected a price, or a list of prices.
--above is <class 'object'>: expected a price, or a list of prices.
--size is '5': expected the money that may be lost, above 0 and up to 1e+15.
--within is 2.5: expected a whole number of sessions, such as 5.
--level is '95': expected a per cent above 50 and up to 99, such as 95.
--level is None: expected a per cent above 50 and up to 99, such as 95.
--days is 2.5: expected a whole number of sessions, such as 5.
--days is '3': expected a whole number of sessions, such as 5.
"""


def test_numbers_of_numpy_are_numbers_and_texts_are_refused_in_one_line(store: Path, trained: TrainedRun) -> None:
    command = [sys.executable, "-c", SCRIPT, str(trained.folder), str(store)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout, done.stderr, done.returncode) == (EXPECTED, "", 0)
