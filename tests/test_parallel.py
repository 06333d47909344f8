"""Trainings in parallel: the bytes of each alone, and one end for all of them."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from forecaster.config.schema import LEVELS, ModelConfig, TaskConfig, TrainingConfig
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.memory import keep_large_blocks
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.training import parallel
from forecaster.training.checkpoint import CurvePoint
from forecaster.training.fit import Report, fit
from forecaster.training.parallel import max_parallel, train_in_parallel
from forecaster.training.sampling import Sampler
from tests.studio import dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

TASK = TaskConfig(horizon=2, context=20)
NAMES = ("gru", "lstm", "rnn")
TRAINING = TrainingConfig(steps=110, batch=2, warmup=3, device="cpu")


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    data = dataset(panel(200, 150), TASK.steps)
    return Sampler(data, TASK, Period(None, np.datetime64("2010-09-30")), torch.device("cpu"))


def network(name: str = "gru", **parameters: object) -> Network:
    base = np.linspace(-1.5, 1.5, 7) * np.ones((2, 4, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return make_network(ModelConfig(name=name, hidden_size=4, **parameters), "scale", 11, base)  # type: ignore[arg-type]


def job(of: Network, sampler: Sampler, checkpoint: Path, training: TrainingConfig = TRAINING) -> parallel.Training:
    return partial(
        fit, of, sampler, training, LEVELS, validation=None, checkpoint=checkpoint, fingerprint=checkpoint.name
    )


def weights(of: Network) -> bytes:
    return b"".join(value.numpy().tobytes() for value in of.state_dict().values())


def test_parallel_training_gives_the_bytes_of_one_after_the_other(sampler: Sampler, tmp_path: Path) -> None:
    alone, beside = [network(name) for name in NAMES], [network(name) for name in NAMES]
    one_by_one = [
        job(each, sampler, tmp_path / f"alone-{name}")(report=lambda *_: None)
        for name, each in zip(NAMES, alone, strict=True)
    ]
    jobs = [job(each, sampler, tmp_path / f"beside-{name}") for name, each in zip(NAMES, beside, strict=True)]
    random, threads = torch.get_rng_state(), torch.get_num_threads()
    assert train_in_parallel(jobs, 3, lambda *_: None) == one_by_one
    assert [weights(each) for each in beside] == [weights(each) for each in alone]
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.get_num_threads() == threads


def test_the_trainings_do_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=240)

    def wait(report: Report) -> list[CurvePoint]:
        meeting.wait()
        return []

    assert train_in_parallel([wait, wait], 2, lambda *_: None) == [[], []]


def test_the_report_is_of_what_all_have_reached(sampler: Sampler, tmp_path: Path) -> None:
    jobs = [job(network(name), sampler, tmp_path / name) for name in NAMES]
    said: list[tuple[int, CurvePoint | None]] = []
    curves = train_in_parallel(jobs, 2, lambda step, point: said.append((step, point)))
    points = [point for _, point in said if point is not None]
    assert [point.step for point in points] == [50, 100, 110]
    assert [point.loss for point in points] == pytest.approx(np.mean([[p.loss for p in c] for c in curves], axis=0))
    steps = [step for step, point in said if point is None]
    assert steps == sorted(set(steps))
    assert steps[-1] == 110


def test_an_interrupt_ends_all_and_the_resumed_give_the_same_bytes(sampler: Sampler, tmp_path: Path) -> None:
    whole = [network(name) for name in NAMES]
    train_in_parallel([job(n, sampler, tmp_path / f"w{i}") for i, n in enumerate(whole)], 3, lambda *_: None)

    def interrupt(step: int, _: CurvePoint | None) -> None:
        if step == 70:
            raise KeyboardInterrupt

    def jobs(networks: list[Network]) -> list[parallel.Training]:
        return [job(each, sampler, tmp_path / f"stopped-{place}") for place, each in enumerate(networks)]

    first, second = [network(name) for name in NAMES], [network(name) for name in NAMES]
    with pytest.raises(KeyboardInterrupt):
        train_in_parallel(jobs(first), 2, interrupt)
    assert (tmp_path / "stopped-0").is_file()
    train_in_parallel(jobs(second), 2, lambda *_: None)
    assert [weights(each) for each in second] == [weights(each) for each in whole]


def test_the_error_of_one_is_the_error_of_all_and_stops_the_others(sampler: Sampler, tmp_path: Path) -> None:
    wild = TrainingConfig(steps=5, batch=4, learning_rate=1e30, warmup=0, clip=1e30, device="cpu")
    long = TrainingConfig(steps=10**7, batch=4, device="cpu")  # which no test waits for
    jobs = [
        job(network(), sampler, tmp_path / "long", long),
        job(network(), sampler, tmp_path / "wild", wild),
    ]
    with pytest.raises(InputError, match=r"training\.learning_rate: the loss became"):
        train_in_parallel(jobs, 2, lambda *_: None)


def test_networks_with_dropout_are_trained_one_after_the_other(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    plain, dropping = network(), network(num_layers=2, dropout=0.3)
    random, bytes_before = torch.get_rng_state(), weights(dropping)
    assert max_parallel([plain, network("lstm"), network("rnn")], sampler) == 2
    assert max_parallel([plain, dropping], sampler) == 1
    assert max_parallel([plain], sampler) == 1
    assert torch.equal(torch.get_rng_state(), random)
    assert weights(dropping) == bytes_before


def test_asking_for_large_blocks_to_be_kept_is_safe_twice() -> None:
    assert keep_large_blocks() == keep_large_blocks()
