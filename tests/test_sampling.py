"""Batches against naive loops over the candles of each chunk."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from forecaster.config.schema import TaskConfig
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.dataset import Dataset
from forecaster.training.sampling import DENSE_SPAN, LARGEST_MOVE, Batch, Sampler
from tests.studio import CUTS, dataset, futures, panel

STEPS = (1, 2, 5)
END = np.datetime64("2010-07-30")
PERIOD = Period(None, END)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(250, 170, 120, 62, 100), STEPS)


def task(supervision: str, context: int = 20) -> TaskConfig:
    return TaskConfig(horizon=STEPS, context=context, supervision=supervision)  # type: ignore[arg-type]


def draw(sampler: Sampler, size: int = 64, seed: int = 0) -> tuple[Batch, list[range]]:
    """A batch, and the panel's rows that each chunk should hold, drawn again by hand."""
    generator = torch.Generator().manual_seed(seed)
    batch = sampler.draw(size, generator)
    generator.manual_seed(seed)
    cells = sampler.cells[torch.randint(len(sampler.cells), (size,), generator=generator)].tolist()
    jitters = torch.randint(sampler.span, (size,), generator=generator).tolist()
    chunks = []
    for cell, jitter in zip(cells, jitters, strict=True):
        first, last = sampler.borders[cell].tolist()
        start = max(min(cell + jitter, last) - sampler.length + 1, first)
        chunks.append(range(start, start + sampler.length))
    return batch, chunks


@pytest.mark.parametrize("supervision", ["window", "dense"])
def test_a_batch_holds_what_the_panel_holds(data: Dataset, supervision: str) -> None:
    sampler = Sampler(data, task(supervision), PERIOD, torch.device("cpu"))
    span = {"window": 1, "dense": DENSE_SPAN}[supervision]
    batch, chunks = draw(sampler)
    assert batch.inputs.shape == (64, 20 + span - 1, len(data.features.names))
    assert batch.targets.shape == (64, span, 3, 4)
    logs = np.log(data.panel.prices)
    for place, chunk in enumerate(chunks):
        ticker = int(data.panel.ticker_of_row[chunk[0]])
        rows = range(int(data.panel.offsets[ticker]), int(data.panel.offsets[ticker + 1]))
        known = [row for row in rows if data.panel.sessions[row] <= END]
        for time, row in enumerate(chunk):
            if row in known:
                assert np.array_equal(batch.inputs[place, time].numpy(), data.features.values[row])
        for time, row in enumerate(chunk[-span:]):
            for column, step in enumerate(STEPS):
                usable = row in known and row + step in known and row - rows[0] >= 60
                assert bool(batch.mask[place, time, column]) == usable
                expected = np.zeros(4)
                if usable:
                    expected = (logs[row + step] - logs[row, 3]) / (data.features.scale[row] * step**0.5)
                found = batch.targets[place, time, column].numpy()
                np.testing.assert_allclose(found, expected.clip(-LARGEST_MOVE, LARGEST_MOVE), atol=2e-4)


@pytest.mark.parametrize("supervision", ["window", "dense"])
def test_no_chunk_crosses_a_ticker_and_no_target_the_period(data: Dataset, supervision: str) -> None:
    marked = dataset(panel(250, 170, 120, 62, 100), STEPS)
    marked.features.values[:, 0] = data.panel.ticker_of_row  # who a row belongs to
    marked.features.values[:, 1] = data.panel.sessions > END
    sampler = Sampler(marked, task(supervision), PERIOD, torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        batch = sampler.draw(64, generator)
        owners = batch.inputs[..., 0]
        assert (owners == owners[:, :1]).all()
        assert not batch.inputs[..., 1].any()
        assert batch.mask.any(dim=(1, 2)).all(), "a chunk with nothing to learn"


def test_every_training_cell_is_drawn_and_no_other(data: Dataset) -> None:
    sampler = Sampler(data, task("window"), PERIOD, torch.device("cpu"))
    assert sampler.cells.tolist() == data.origins(PERIOD, history=20).tolist()
    ends = {chunk[-1] for seed in range(12) for chunk in draw(sampler, 512, seed)[1]}
    assert ends == set(sampler.cells.tolist())


def test_a_window_ends_with_its_origin(data: Dataset) -> None:
    sampler = Sampler(data, task("window", context=90), PERIOD, torch.device("cpu"))
    _, chunks = draw(sampler)
    assert all(len(chunk) == 90 and chunk[-1] in sampler.cells for chunk in chunks)


def test_an_outcome_that_is_absurd_is_clipped() -> None:
    of = panel(120)
    prices = of.prices.copy()
    prices[80:] *= 1e6
    wild = dataset(replace(of, prices=prices), STEPS)
    sampler = Sampler(wild, task("dense"), PERIOD, torch.device("cpu"))
    batch, _ = draw(sampler)
    assert batch.targets.abs().max() == LARGEST_MOVE


def test_the_generator_alone_decides(data: Dataset) -> None:
    sampler = Sampler(data, task("dense"), PERIOD, torch.device("cpu"))
    batches = [sampler.draw(8, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(batches[0].inputs, batches[1].inputs)
    assert not torch.equal(batches[0].inputs, batches[2].inputs)
    assert all(torch.isfinite(one.targets).all() for one in batches)


@pytest.mark.parametrize("day", CUTS[1:], ids=str)
def test_prices_after_the_period_do_not_reach_a_batch(panel_with_holes: Panel, day: np.datetime64) -> None:
    both = (panel_with_holes, futures(panel_with_holes, day)["changed"])
    period = Period(None, day)
    samplers = [Sampler(dataset(of, STEPS), task("dense"), period, torch.device("cpu")) for of in both]
    for first, second in pairwise([sampler.draw(64, torch.Generator().manual_seed(0)) for sampler in samplers]):
        assert torch.equal(first.inputs, second.inputs)
        assert torch.equal(first.targets, second.targets)
        assert torch.equal(first.mask, second.mask)


def test_a_context_longer_than_any_history_is_one_line_with_the_remedy(data: Dataset) -> None:
    with pytest.raises(InputError, match=r"task\.context is 600, but no ticker has that many candles.* lower"):
        Sampler(data, task("window", context=600), PERIOD, torch.device("cpu"))
