"""Members that other distributions bring by entry points: real ones, installed into a folder on the path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.studio import command, environment, settings

pytest_plugins = ("tests.studio_fixtures",)

MODEL = '''
from __future__ import annotations

from torch import Tensor, arange, nn


class Averager(nn.Module):
    """The mean of the candles so far, in a linear layer.

    Args:
        width: of the state.
    """

    def __init__(self, input_size: int, *, width: int = 4) -> None:
        super().__init__()
        self.layer = nn.Linear(input_size, width)
        self.output_size, self.causal, self.skip = width, True, True

    def forward(self, inputs: Tensor) -> Tensor:
        counts = 1 + arange(inputs.shape[1])
        return self.layer(inputs.cumsum(dim=1) / counts[:, None])
'''

OTHERS = """
from forecaster.baselines import BASELINES, Unchanging
from forecaster.data.sources import SOURCES
from forecaster.features import GROUPS
import numpy as np


@GROUPS.register("nothing")
def nothing(candles):
    return {"zero": np.zeros(candles.volume.shape)}


BASELINES.add("flat", Unchanging(lambda dataset, period, levels: np.zeros((len(dataset.steps), 4, len(levels)))))


@SOURCES.register("none")
def none(options):
    raise NotImplementedError
"""


def install(folder: Path, points: str) -> Path:
    """A distribution as pip leaves it: its modules, and a dist-info folder beside them."""
    info = folder / "averager-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "averager.py").write_text(MODEL)
    (folder / "averager_others.py").write_text(OTHERS)
    (folder / "averager_broken.py").write_text("import no_such_library\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: averager\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    return folder


def forecast(plugins: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = environment()
    own["PYTHONPATH"] += f":{plugins}"
    return subprocess.run(command(*arguments), cwd=cwd, env=own, capture_output=True, text=True, check=False)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    members = "[forecaster.models]\naverager = averager:Averager\n"
    for kind in ("features", "baselines", "sources"):
        members += f"[forecaster.{kind}]\nmore = averager_others\n"
    return install(tmp_path / "site", members)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return install(tmp_path / "site", "[forecaster.models]\nmine = averager_broken:Net\ngru = averager:Averager\n")


def test_a_model_of_another_distribution_trains_and_forecasts(whole: Path, store: Path, tmp_path: Path) -> None:
    quick = [one for one in settings() if "hidden_size" not in one and one != "--set"]
    given = ["model={name: averager, width: 3}", "features=[base, nothing]", "training.steps=3", *quick]
    options = [part for setting in given for part in ("--set", setting)]
    places = ("--data-dir", str(store), "--runs-dir", str(tmp_path / "runs"))
    baselines = ("--set", "evaluation.baselines=[ewma-random-walk, flat]")
    done = forecast(whole, tmp_path, "train", "gru", *options, *baselines, "--name", "own", *places)
    assert done.returncode == 0, done.stderr
    assert "averager" in done.stdout
    assert "width: 3" in (tmp_path / "runs" / "own" / "config.yaml").read_text()
    assert forecast(whole, tmp_path, "predict", "AAPL", *places).returncode == 0
    gone = forecast(tmp_path, tmp_path, "predict", "AAPL", *places)
    assert gone.returncode == 2
    assert gone.stderr.count("\n") == 1
    assert "averager" in gone.stderr


def test_members_of_every_registry_can_be_brought(whole: Path, tmp_path: Path) -> None:
    script = (
        "from forecaster.models import MODELS; from forecaster.features import GROUPS; "
        "from forecaster.baselines import BASELINES; from forecaster.data.sources import SOURCES; "
        "print('averager' in MODELS, 'nothing' in GROUPS, 'flat' in BASELINES, 'none' in SOURCES)"
    )
    own = environment()
    own["PYTHONPATH"] += f":{whole}"
    done = subprocess.run([sys.executable, "-c", script], env=own, capture_output=True, text=True, check=True)
    assert done.stdout == "True True True True\n"
    assert done.stderr == ""


def test_a_faulty_one_is_one_line_and_stands_in_the_way_of_nobody(broken: Path, store: Path, tmp_path: Path) -> None:
    helped = forecast(broken, tmp_path, "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    checked = forecast(broken, tmp_path, "config", "check", "lstm")
    assert (checked.returncode, checked.stderr) == (0, ""), "who asks for one of ours does not wait for others"
    done = forecast(broken, tmp_path, "models")
    assert done.returncode == 0
    missing, taken = done.stderr.splitlines()
    assert missing == (
        "warning: The model 'mine' of averager 1.0 cannot be loaded "
        "(ModuleNotFoundError: No module named 'no_such_library'): fix or uninstall it."
    )
    assert "(ValueError: model 'gru' is registered twice)" in taken


def test_asking_for_a_faulty_one_tells_what_is_wrong_with_it(broken: Path, store: Path, tmp_path: Path) -> None:
    asked = forecast(broken, tmp_path, "train", "gru", "--set", "model={name: mine}", "--data-dir", str(store))
    assert asked.returncode == 2
    assert asked.stderr.splitlines()[-1].startswith("error: The model 'mine' of averager 1.0 cannot be loaded")
