"""Folds of a walk forward in processes of their own: the same scores, and nothing lost or left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.splits import Split
from forecaster.errors import ForecasterError, InputError, OutsideError
from forecaster.evaluation.scores import score
from forecaster.runs.config import load_config
from forecaster.tensorfile import save_tensors
from forecaster.training.files import checkpoint
from forecaster.trial import Trial
from forecaster.walkforward import fold
from forecaster.walkforward.processes import Engine, Work, fit_folds, in_processes
from forecaster.walkforward.walk import Walk, load_scores, load_walk, save_scores, save_walk
from forecaster.workflows.backtest import Backtest, backtest
from tests.studio import QUICK, REPOSITORY, dataset, environment, eventually, hear_interrupts, panel

pytest_plugins = ("tests.studio_fixtures",)

TINY = (*QUICK, "training.steps=3", "training.batch=4")
ONE = Engine(in_processes, lambda: 1)


def walked(store: Path, runs: Path, workers: int, *settings: str) -> Backtest:
    return backtest("gru", settings=(*TINY, *settings), refit_every=90, data_dir=store, runs_dir=runs, workers=workers)


def test_two_processes_give_what_one_gives(store: Path, tmp_path: Path) -> None:
    settings = ("model.num_layers=2", "model.dropout=0.3", "calibration.rolling=true")
    one, two = (walked(store, tmp_path / str(workers), workers, *settings) for workers in (1, 2))
    assert one.refits == two.refits > 2
    assert one.scorecard == two.scorecard
    assert not list(tmp_path.glob("*/.backtest-*"))


def test_a_process_takes_over_what_was_handed_over_without_computing_it(tmp_path: Path) -> None:
    data = dataset(panel(300, 250), (1, 2))
    whole = Split(*(np.datetime64(date) for date in ("2010-09-01", "2010-10-01", "2010-12-01")))
    config = load_config("gru", ("task.horizon=2",))
    save_walk(Walk(tmp_path, Trial(config, data, whole), (whole, whole)))
    found = load_walk(tmp_path)
    assert found.whole.panel.fingerprint == data.panel.fingerprint
    assert np.array_equal(found.whole.dataset.features.values, data.features.values)
    assert found.whole.dataset.features.names == data.features.names
    assert (found.whole.config, found.whole.split, found.folds) == (config, whole, (whole, whole))
    shared = found.whole.dataset.features.values
    while shared.base is not None and not isinstance(shared, np.memmap):
        shared = shared.base
    assert isinstance(shared, np.memmap), "a view of the file, not a copy"


def test_scores_come_back_to_the_last_bit(tmp_path: Path) -> None:
    data = dataset(panel(300), (1, 2))
    rows = data.origins(Split(*[np.datetime64("2010-12-01")] * 3).train)
    levels = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    period = Split(*[np.datetime64("2010-12-01")] * 3).train
    scores = {
        "bands": score(lambda r: np.linspace(-0.02, 0.02, 7) * np.ones((len(r), 2, 4, 1)), data, rows, period, levels),
        "point": score(lambda r: np.zeros((len(r), 2, 4, 1)), data, rows, period, (0.5,)),
    }
    save_scores(tmp_path / "scores.safetensors", scores)
    found = load_scores(tmp_path / "scores.safetensors")
    assert list(found) == ["bands", "point"]
    for name, one in scores.items():
        for field, value in vars(one).items():
            if field == "inside":
                assert all(
                    np.array_equal(a, b) for a, b in zip(found[name].inside, value, strict=True) if b is not None
                )
                assert [band is None for band in found[name].inside] == [band is None for band in value]
            else:
                assert np.array_equal(getattr(found[name], field), value) or value is None
    assert found["point"].widths is None


def children(of: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(of)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


def begun(store: Path, runs: Path, *more: str, workers: int = 2, path: Path | None = None) -> subprocess.Popen[str]:
    """A backtest of three folds.

    Args:
        path: where more modules are.
    """
    places = [str(place) for place in (path, REPOSITORY) if place]
    settings = [part for one in (*TINY, *more) for part in ("--set", one)]
    command = ["backtest", "gru", *settings, "--refit-every", "90", "--workers", str(workers), "--format", "json"]
    command += ["--data-dir", str(store), "--runs-dir", str(runs)]
    return subprocess.Popen(
        [sys.executable, "-m", "forecaster", *command],
        env=environment() | {"PYTHONPATH": os.pathsep.join(places)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )


def reached(process: subprocess.Popen[str], runs: Path, pattern: str) -> bool:
    """Wait until the folder of a backtest has such a file; False where the process ends before."""
    eventually(lambda: bool(list(runs.glob(f".backtest-*/{pattern}"))) or process.poll() is not None)
    return process.poll() is None


def gone(processes: list[int]) -> bool:
    """Whether they end."""
    return eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes))


def fitted(err: str) -> list[str]:
    """The folds that a backtest says it has done; a last one alone is fitted by the parent itself."""
    return sorted(re.findall(r"fold (\d) of 3(?: is done)?: trains", err))


LONG = "training.steps=4000"
"""Steps that no test waits for."""

GATE = """
import os, time
from pathlib import Path
from forecaster.baselines import BASELINES


class Gate:
    def fit(self, dataset, period, levels):
        gate = Path({!r})
        try:
            os.close(os.open(f"{{gate}}-passed", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            while gate.exists():
                time.sleep(0.02)
        return BASELINES["last-close"].fit(dataset, period, levels)

    def bind(self, fitted, dataset):
        return BASELINES["last-close"].bind(fitted, dataset)


gate = Gate()
"""
"""A baseline that lets one fold pass, and holds the others as long as its file is there."""

GATED = "evaluation.baselines=[ewma-random-walk, gate]"


def plugin(folder: Path, group: str, name: str, code: str) -> None:
    """A distribution whose module of that name registers something."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    member = f"{name}:{name}" if group == "baselines" else name
    (info / "entry_points.txt").write_text(f"[forecaster.{group}]\n{name} = {member}\n")
    (folder / f"{name}.py").write_text(code)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module of the gate is; beside it the file that shuts it, which is not there yet."""
    folder = tmp_path_factory.mktemp("gated")
    plugin(folder, "baselines", "gate", GATE.format(str(folder / "shut")))
    return folder


@pytest.fixture(scope="module")
def whole(store: Path, gate: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """By one process, at a stretch."""
    process = begun(store, tmp_path_factory.mktemp("whole"), GATED, workers=1, path=gate)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


needs_proc = pytest.mark.skipif(not Path("/usr/bin/pgrep").exists(), reason="needs pgrep to find a process's children")


@needs_proc
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_process_is_left_however_the_parent_ends(store: Path, tmp_path: Path, end: signal.Signals) -> None:
    process = begun(store, tmp_path, LONG)
    assert reached(process, tmp_path, "fold-*/*")
    workers = children(process.pid)
    assert len(workers) == 2
    for one in (*workers, process.pid) if end == signal.SIGTERM else (process.pid,):  # Slurm's goes to the whole job
        os.kill(one, end)
    _, err = process.communicate()
    assert gone(workers)
    if end != signal.SIGKILL:
        assert process.returncode == 130
        assert "interrupted" in err.splitlines()[-1]


@needs_proc
@pytest.mark.parametrize("whom", ["parent", "worker"])
def test_what_an_interrupt_or_a_killed_process_leaves_is_taken_up(
    store: Path, tmp_path: Path, gate: Path, whole: object, whom: str
) -> None:
    (gate / "shut").touch()
    (gate / "shut-passed").unlink(missing_ok=True)
    process = begun(store, tmp_path, GATED, path=gate)
    assert reached(process, tmp_path, "fold-*/scores.safetensors"), "one is done, two are held"
    workers = children(process.pid)
    os.kill(*((process.pid, signal.SIGINT) if whom == "parent" else (workers[0], signal.SIGKILL)))
    _, first = process.communicate()
    assert process.returncode == (130 if whom == "parent" else OutsideError.exit_code)
    assert "Traceback" not in first
    assert gone(workers)
    if whom == "worker":
        assert re.search(r"its process was killed \(signal 9\); finished folds are kept", " ".join(first.split()))
    kept, *more = (path.parent.name[-1] for path in tmp_path.glob(".backtest-*/fold-*/scores.safetensors"))

    assert more == []
    (gate / "shut").unlink()
    if whom == "worker":
        return  # what is left is alike
    out, second = begun(store, tmp_path, GATED, path=gate).communicate()
    assert fitted(second) == [str(number + 1) for number in range(3) if str(number) != kept]
    data = json.loads(out)
    assert data.pop("test_period_looks") == 1, "what was interrupted has not looked"
    assert data == {key: value for key, value in whole.items() if key != "test_period_looks"}  # type: ignore[attr-defined]


def handed(folder: Path, *settings: str) -> Walk:
    """A walk of one fold in a folder."""
    whole = Split(*(np.datetime64(date) for date in ("2010-09-01", "2010-10-01", "2010-12-01")))
    tiny = ("task.horizon=2", "task.context=20", "training.steps=2", "features=[base, vol]", "training.device=cpu")
    config = load_config("gru", (*tiny, *settings))
    return Walk(folder, Trial(config, dataset(panel(300, 250), (1, 2)), whole), (whole,))


def test_what_a_fold_cannot_use_is_the_error_of_all(tmp_path: Path) -> None:
    wild = ("training.learning_rate=1e30", "training.clip=1e30", "training.steps=60")
    with pytest.raises(InputError, match=r"^training.learning_rate: the"):
        fit_folds(handed(tmp_path, *wild), [0], ONE, lambda *_: None)


def test_a_fault_of_a_process_is_told_for_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = handed(tmp_path)
    walk.place(0).write_text("where its folder should be")
    with pytest.raises(OutsideError, match="fold-0 cannot be written: File exists"):
        fit_folds(walk, [0], ONE, lambda *_: None)
    walk.place(0).unlink()
    walk.place(0).mkdir()
    save_tensors(checkpoint(walk.place(0), "0"), {}, {"of": "nobody"})
    with pytest.raises(InputError, match=r"checkpoint-0\.safetensors is damaged: 'curve'"):
        fit_folds(walk, [0], ONE, lambda *_: None)
    begin = "def main(folder):\n    serve(lambda: lambda number, answer: {}['fingerprint'])\n"
    (tmp_path / "faulty.py").write_text(f"from forecaster.walkforward.worker import serve\n{begin}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(
        ForecasterError, match=r"fold 1: this is a bug: KeyError: 'fingerprint'.* Its traceback"
    ) as found:
        in_processes(Work("faulty", "fold"), tmp_path, [0], 1, lambda *_: None)
    assert found.value.exit_code == 1


SIGNALLED = """
import os, signal
from forecaster.walkforward.worker import serve

def interrupt(number, answer):
    for one in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), one)
    answer(share=1.0)

def main(folder):
    interrupt(0, lambda **_: None)
    serve(lambda: interrupt)
"""


def test_a_signal_to_all_processes_of_a_job_ends_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "signalled.py").write_text(SIGNALLED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answers: list[int] = []
    in_processes(Work("signalled", "fold"), tmp_path, [0, 1], 1, lambda number, _: answers.append(number))
    assert answers == [0, 1]


def test_a_process_tells_how_much_of_a_fold_is_done(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    fit_folds(handed(tmp_path), [0], ONE, lambda number, share: told.append((number, share)))
    shares = [share for _, share in told]
    assert len(shares) > 1
    assert shares == sorted(shares)
    assert told[-1] == (0, 1)
    assert not any(share >= 1 for share in shares[:-1])


GROUP = """
import os
import numpy as np
from forecaster.features import GROUPS


@GROUPS.register("counted")
def counted(candles):
    with open({!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    return {{"zero": np.zeros(candles.volume.shape)}}
"""


def test_the_parent_alone_computes_features(store: Path, tmp_path: Path) -> None:
    computed = tmp_path / "computed"
    plugin(tmp_path, "features", "counted", GROUP.format(str(computed)))
    process = begun(store, tmp_path / "runs", "features=[base, counted]", path=tmp_path)
    _, err = process.communicate()
    assert (process.returncode, fitted(err)) == (0, ["1", "2", "3"])
    assert set(computed.read_text().split()) == {str(process.pid)}


def test_finished_folds_are_not_fitted_again(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walked(store, tmp_path / "whole", 1)
    fitted: list[int] = []
    once = fold.fit_fold

    def interrupted(walk: Walk, number: int, **named: object) -> None:
        if len(fitted) == 2:
            raise KeyboardInterrupt
        fitted.append(number)
        once(walk, number, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("forecaster.walkforward.refit.fit_fold", interrupted)
    with pytest.raises(KeyboardInterrupt):
        walked(store, tmp_path / "cut", 1)
    assert fitted == [0, 1]
    monkeypatch.setattr(
        "forecaster.walkforward.refit.fit_fold",
        lambda *given, **named: fitted.append(given[1]) or once(*given, **named),
    )
    assert walked(store, tmp_path / "cut", 1).scorecard == whole.scorecard
    assert fitted == list(range(whole.refits))
