"""Networks of a training in processes of their own: the bytes of one process, and nothing trained twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.data.splits import Split
from forecaster.errors import InputError, OutsideError
from forecaster.modelfile import weights_of
from forecaster.runs.config import load_config
from forecaster.runs.replacement import alone_in, sweep, training_in
from forecaster.training import launch
from forecaster.training.files import checkpoints, shared_candles
from forecaster.training.members import Learnt, learn
from forecaster.training.networks import Job
from forecaster.training.ranks import Ranks
from forecaster.trial import Trial
from forecaster.walkforward import member
from forecaster.walkforward.engines import require_engine
from forecaster.walkforward.member import train_elsewhere
from forecaster.walkforward.processes import Engine, OnAnswer, Work, in_processes
from tests.studio import dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

MEMBERS = "[{name: har}, {name: gru, hidden_size: 4}, {name: lru, hidden_size: 4}, {name: gru, hidden_size: 4}]"
SPLIT = Split(*(np.datetime64(date) for date in ("2010-09-01", "2010-10-01", "2010-12-01")))


def trial(*settings: str) -> Trial:
    tiny = ("task.horizon=2", "task.context=20", "training.steps=60", "training.batch=4", "training.device=cpu")
    changed = ("model=null", f"members={MEMBERS}", "features=[base, vol]", *tiny, *settings)
    return Trial(load_config("gru", changed), dataset(panel(300, 250), (1, 2)), SPLIT)


def values(learnt: Learnt) -> list[dict[str, bytes]]:
    return [{name: value.tobytes() for name, value in weights_of(one).items()} for one in learnt.members]


def test_networks_trained_by_workers_are_those_of_one_process_and_none_is_trained_twice(tmp_path: Path) -> None:
    whole, folder = trial(), tmp_path / "runs" / "one"
    handed: list[list[int]] = []
    said: list[str] = []
    steps: list[int] = []

    def run(work: Work, folder: Path, numbers: Sequence[int], workers: int, on_answer: OnAnswer, **more: Any) -> None:
        handed.append(list(numbers))
        in_processes(work, folder, numbers, workers, on_answer, **more)

    elsewhere = partial(train_elsewhere, Engine(run, lambda: 2))
    job = Job(whole, folder, said.append, lambda step, *_: steps.append(step), elsewhere=elsewhere)
    here, there = learn(Job(whole, tmp_path / "here")), learn(job)
    assert values(there) == values(here)
    assert there.curves == here.curves
    assert steps == sorted(set(steps))
    assert steps[-1] == 180, "the bar ends where all steps are done"
    assert "training 3 networks, 2 at a time: 180 steps in all" in said
    assert sum("is trained to step 60: loss" in line for line in said) == 3
    assert not [path for path in folder.iterdir() if path.is_dir()], "candles are not left in the run's folder"
    checkpoints(folder)[1].unlink()
    assert values(learn(job)) == values(here)
    assert "training 3 networks, 2 trained already, 1 at a time: 180 steps in all" in said
    learn(job)
    assert handed == [[1, 2, 3], [2]]


def test_what_a_network_cannot_use_is_the_error_of_the_training(tmp_path: Path) -> None:
    wild = trial("training.learning_rate=1e30", "training.clip=1e30")
    job = Job(wild, tmp_path / "one", elsewhere=partial(train_elsewhere, Engine(in_processes, lambda: 1)))
    with pytest.raises(InputError, match=r"^training.learning_rate: the"):
        learn(job)
    assert not list(tmp_path.glob("one/*candles"))


def test_a_look_that_the_system_refuses_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "_LOOK_AGAIN", 0.01)
    looks, twice = count(1), threading.Event()

    def look() -> None:
        if next(looks) == 1:
            raise OutsideError("the checkpoint cannot be read: Too many open files.")
        twice.set()

    with member._repeated(look):
        assert twice.wait(60)


def test_candles_that_a_killed_training_left_are_removed_by_the_next(tmp_path: Path) -> None:
    for mark in ("", "production-"):
        shared_candles(tmp_path, mark).mkdir()
    (tmp_path / "candles").mkdir()
    with training_in(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["candles"], "a folder of the user's stays"


def test_candles_of_an_abandoned_training_go_and_its_checkpoints_stay(tmp_path: Path) -> None:
    one, busy, staged = (tmp_path / name for name in ("one", "busy", ".three.new"))
    for folder in (one, busy, staged):
        shared_candles(folder).mkdir(parents=True)
        for name in ("config.yaml", "checkpoint-0.safetensors"):
            (folder / name).touch()
    with alone_in(busy) as alone:
        assert alone
        sweep(tmp_path)
    assert sorted(path.name for path in (*one.iterdir(), *staged.iterdir())) == [
        *["checkpoint-0.safetensors"] * 2,
        *["config.yaml"] * 2,
    ]
    assert shared_candles(busy).is_dir()


def test_an_engine_and_torchrun_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_ranks", Ranks(0, 2))
    monkeypatch.setattr("forecaster.walkforward.engines.require_ray", lambda: None)
    with pytest.raises(InputError, match=r"^--engine ray has whole networks trained, torchrun shares each one's"):
        require_engine("ray")
