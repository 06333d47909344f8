"""Forecasts at many origins equal the forecast of each origin on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from forecaster.config.schema import ModelConfig, TaskConfig
from forecaster.features.dataset import Dataset
from forecaster.inference import sweep
from forecaster.inference.sweep import Reach, quantiles, standardised_quantiles
from forecaster.models.build import make_network
from forecaster.models.network import Network
from tests.studio import assert_coherent, dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

STEPS = (1, 3)
LENGTHS = (700, 300, 130, 61)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(*LENGTHS), STEPS)


def network(**parameters: object) -> Network:
    torch.manual_seed(0)
    base = np.linspace(-1.5, 1.5, 7) * np.ones((2, 4, 1))
    model = make_network(ModelConfig(name="gru", hidden_size=6, **parameters), "scale", 11, base)  # type: ignore[call-arg]
    torch.nn.init.normal_(model.readout.weight, std=0.3)
    assert model.skip is not None
    torch.nn.init.normal_(model.skip.weight, std=0.1)
    return model.eval()


def alone(model: Network, data: Dataset, row: int, candles: int) -> np.ndarray:
    """Quantiles from the last `candles` rows of the ticker up to this one, and no other."""
    first = max(int(data.first_row[row]), row - candles + 1)
    with torch.inference_mode():
        outputs = model(torch.from_numpy(data.features.values[None, first : row + 1]), 1)
    return outputs[0, -1].numpy()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_window_reads_exactly_its_context(data: Dataset, bidirectional: bool) -> None:
    model, reach = network(bidirectional=bidirectional), Reach.of(TaskConfig(supervision="window", context=50))
    rows = np.flatnonzero(np.arange(sum(LENGTHS)) - data.first_row >= 49)[::7]
    found = standardised_quantiles(model, data, rows, reach)
    assert found.shape == (len(rows), 2, 4, 7)
    for place, row in enumerate(rows):
        np.testing.assert_allclose(found[place], alone(model, data, row, 50), atol=1e-6)


@pytest.mark.parametrize("span", [1, 40, 512])
@pytest.mark.parametrize("per_pass", [1, 3, 10_000])
def test_a_dense_sweep_has_read_the_warm_up_of_its_stretch(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, span: int, per_pass: int
) -> None:
    """Several stretches a ticker, several passes, tickers shorter than the warm-up, origins with gaps."""
    model, reach = network(), Reach(warm=100, span=span)
    monkeypatch.setattr(sweep, "_CANDLES", per_pass * reach.length)
    rows = np.concatenate([np.arange(130, 640, 9), [701, 720, 999], np.arange(1000, 1190)[::5]])
    found = standardised_quantiles(model, data, rows, reach)
    for place, row in enumerate(rows):
        lead = min(other for other in rows if data.first_row[other] == data.first_row[row])
        first_origin = lead + (row - lead) // span * span
        read = row - max(first_origin - 100, int(data.first_row[row])) + 1
        np.testing.assert_allclose(found[place], alone(model, data, row, read), atol=1e-6)


def test_a_longer_warm_up_hardly_matters(data: Dataset) -> None:
    """What is scored (stretches) and what `predict` says (one origin) are the same forecast."""
    model, rows = network(), np.arange(400, 700, 11)
    stretched = standardised_quantiles(model, data, rows, Reach.of(TaskConfig()))
    single = standardised_quantiles(model, data, rows, Reach.of(TaskConfig(), span=1))
    np.testing.assert_allclose(stretched, single, atol=1e-5)


def test_later_candles_do_not_reach_a_sweep(data: Dataset) -> None:
    model, reach, rows = network(), Reach(warm=100, span=64), np.arange(200, 400)
    changed = dataset(panel(*LENGTHS), STEPS)
    changed.features.values[300:700] = 7.0
    both = [standardised_quantiles(model, one, rows, reach) for one in (data, changed)]
    assert np.array_equal(both[0][:100], both[1][:100])
    assert not np.array_equal(both[0][100:], both[1][100:])


def test_quantiles_are_in_units_of_the_scale_and_coherent(data: Dataset) -> None:
    model, rows, reach = network(), np.array([300, 600, 900]), Reach.of(TaskConfig())
    found = quantiles(model, data, rows, reach)
    assert_coherent(found)
    expected = standardised_quantiles(model, data, rows, reach) * data.units(rows)[..., None, None]
    np.testing.assert_allclose(found[..., 3, :], np.sort(expected[..., 3, :]), rtol=1e-12)


def test_the_reach_of_a_task_is_its_context_or_the_warm_up() -> None:
    assert Reach.of(TaskConfig(supervision="window", context=60)) == Reach(59, 1)
    assert Reach.of(TaskConfig(context=40)).warm == 249
    assert Reach.of(TaskConfig(context=400)).warm == 399
    assert Reach.of(TaskConfig(), span=1).length == 250
