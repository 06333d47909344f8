"""What is done and copied, counted: seconds belong to the benchmarks."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from forecaster.config.schema import LEVELS, ModelConfig, TaskConfig, TrainingConfig
from forecaster.data.splits import Period
from forecaster.evaluation.pathrange import path_ranges
from forecaster.features import blocks
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.training.adamw import AdamW
from forecaster.training.fit import REPORT_EVERY, fit
from forecaster.training.sampling import Sampler, windows
from forecaster.workflows.train import train
from tests.studio import QUICK, dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

TASK = TaskConfig(horizon=(1, 2, 5), context=20)
BASE = np.linspace(-1.5, 1.5, 7) * np.ones((3, 4, 1))
PERIOD = Period(None, np.datetime64("2010-12-31"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(400, 350, 300), TASK.steps)


@pytest.fixture
def sampler(data: Dataset) -> Sampler:
    return Sampler(data, TASK, PERIOD, torch.device("cpu"))


class Operations(TorchDispatchMode):
    """Counts what torch is asked to do."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def fitted(sampler: Sampler, folder: Path, steps: int, batch: int) -> Network:
    network = make_network(ModelConfig(name="gru", hidden_size=4), "scale", 11, BASE)  # type: ignore[call-arg]
    config = TrainingConfig(steps=steps, batch=batch, warmup=2, device="cpu")
    fit(network, sampler, config, LEVELS, validation=None, checkpoint=folder / "checkpoint", fingerprint="x")
    return network


def test_a_step_is_one_forward_pass_and_one_optimiser_step(
    sampler: Sampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    forward, step = Network.forward, AdamW.step

    def counted(name: str, method):  # type: ignore[no-untyped-def]
        def call(*given, **named):  # type: ignore[no-untyped-def]
            counts[name] += 1
            return method(*given, **named)

        return call

    monkeypatch.setattr(Network, "forward", counted("forward", forward))
    monkeypatch.setattr(AdamW, "step", counted("step", step))
    fitted(sampler, tmp_path, steps=7, batch=4)
    assert counts == {"forward": 7, "step": 7}


def test_the_work_of_a_step_does_not_grow_with_the_windows_in_it(sampler: Sampler, tmp_path: Path) -> None:
    found = []
    for batch in (2, 64):
        (folder := tmp_path / str(batch)).mkdir()
        with Operations() as operations:
            fitted(sampler, folder, steps=3, batch=batch)
        found.append(operations.counts)
    small, large = (sum(one.values()) for one in found)
    assert 0 < large <= small + 10, found[1] - found[0]


def test_metrics_leave_the_device_once_a_report(sampler: Sampler, tmp_path: Path) -> None:
    found = []
    for steps in (REPORT_EVERY // 10, REPORT_EVERY):
        (folder := tmp_path / str(steps)).mkdir()
        with Operations() as operations:
            fitted(sampler, folder, steps=steps, batch=2)
        found.append(operations.counts["_local_scalar_dense"])
    per_step = (found[1] - found[0]) / (REPORT_EVERY - REPORT_EVERY // 10)
    assert found[0] > 0
    assert per_step <= 1, "the last row of a chunk is looked at on the processor; nothing else may be"


def test_the_features_are_not_copied_to_be_learnt_from(data: Dataset, sampler: Sampler) -> None:
    assert sampler.inputs.data_ptr() == data.features.values.ctypes.data


def test_targets_are_gathered_and_never_all_there(data: Dataset, sampler: Sampler) -> None:
    held = [value for value in vars(sampler).values() if isinstance(value, torch.Tensor)]
    rows, beyond = len(data.panel.sessions), sampler.length + TASK.steps[-1]
    kept = sum(value.nbytes for value in held if value is not sampler.inputs)
    a_row = 4 * 4 + 4 + 1 + 3 * 8  # log prices, scale, readiness; first and last row, and the cells
    assert kept <= a_row * (rows + beyond) + 1000
    assert kept < rows * len(TASK.steps) * 4 * 4 + a_row * rows, "no step, price or level has a tensor of its own"


def test_a_stretch_is_one_copy_of_its_own_size() -> None:
    rows = torch.arange(60.0).reshape(20, 3)
    starts = torch.tensor([0, 5, 17])
    with Operations() as operations:
        found = windows(rows, starts, 3)
    assert found.shape == (3, 3, 3)
    assert torch.equal(found[1], rows[5:8])
    assert operations.counts == {"as_strided": 1, "index_select": 1}


def test_features_are_computed_once_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    of, count = panel(*[100] * 40), 0
    whole = blocks._candles

    def counted(*given):  # type: ignore[no-untyped-def]
        nonlocal count
        count += 1
        return whole(*given)

    monkeypatch.setattr(blocks, "_candles", counted)
    compute_features(of, ("base", "vol", "volume", "shape"))
    assert count == -(-40 // blocks._BLOCK)


def test_a_training_computes_its_features_once(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from forecaster.features import cache

    calls = []

    def counted(*given):  # type: ignore[no-untyped-def]
        calls.append(given)
        return compute_features(*given)

    monkeypatch.setattr(cache, "compute_features", counted)
    settings = (
        *QUICK,
        "training.steps=2",
        "training.refit=true",
        "calibration.rolling=true",
        "training.through=latest",
    )
    train("gru", settings=settings, data_dir=store, runs_dir=tmp_path)
    assert len(calls) == 1


@pytest.mark.parametrize("length", [5, 40])
def test_paths_are_drawn_in_pieces_that_fit_the_cache(length: int) -> None:
    """Larger ones would be mapped and unmapped for each few origins, which takes longer than to draw them."""
    of = panel(*[900] * 3)
    data = dataset(of, tuple(range(1, length + 1)))
    rows, period = data.origins(PERIOD), PERIOD
    templates = np.random.default_rng(0).normal(size=(1000, length, 4)).astype(np.float32)
    quantiles = np.linspace(-0.1, 0.1, 7) * np.ones((len(rows), length, 4, 1))
    both = [(name, lambda chosen: quantiles[: len(chosen)]) for name in ("one", "other")]

    def draw() -> None:
        assert list(path_ranges(both, data, rows, period, templates, LEVELS))

    draw()  # once, so that no import is counted
    tracemalloc.start()
    draw()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20
