"""RNN, LSTM and GRU: their parameters, reading backwards, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from forecaster.errors import ConfigError
from forecaster.models import MODELS
from forecaster.models.bodies.recurrent import Recurrent
from forecaster.models.build import parameters
from forecaster.runs.config import load_config
from tests.test_models import inputs, network

CELLS = ("rnn", "lstm", "gru")


def check(tmp_path: Path, text: str) -> str:
    """The complaint about a config."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_bidirectional_forecast_reads_the_whole_window_both_ways(name: str, layers: int) -> None:
    model = network(name, bidirectional=True, num_layers=layers, skip=False)
    assert not model.body.causal
    candles = inputs().requires_grad_()
    backward = model.body(candles)[:, -1, 64:]
    backward.sum().backward()
    assert candles.grad is not None
    assert (candles.grad.abs().amax(dim=-1) > 0).all(), "the backward half of the newest state has read every candle"


@pytest.mark.parametrize("name", CELLS)
def test_the_backward_half_is_the_state_that_ended_at_the_first_candle(name: str) -> None:
    model = network(name, bidirectional=True)
    states, _ = model.body.cell(inputs())
    torch.testing.assert_close(model.body(inputs())[:, -1, 64:], states[:, 0, 64:])
    torch.testing.assert_close(model.body(inputs())[:, -1, :64], states[:, -1, :64])


@pytest.mark.parametrize("name", CELLS)
def test_step_one_of_a_bidirectional_window_hangs_on_the_newest_candle(name: str) -> None:
    candles = inputs().requires_grad_()
    network(name, bidirectional=True, skip=False)(candles, 1)[:, -1, 0].sum().backward()
    assert candles.grad is not None
    assert (candles.grad[:, -1].abs().amax(dim=-1) > 0).all()


def test_reading_backwards_is_refused_where_it_would_see_the_future(tmp_path: Path) -> None:
    said = check(tmp_path, "model:\n  name: gru\n  bidirectional: true\ntask: {supervision: dense}\n")
    assert "mine.yaml:3: model.bidirectional is true with task.supervision dense" in said
    assert "set supervision to window or bidirectional to false" in said


def test_reading_backwards_is_allowed_in_a_window(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model: {name: gru, bidirectional: true}\ntask: {supervision: window}\n")
    assert load_config(file).model.parameters["bidirectional"] is True  # type: ignore[union-attr]


def test_dropout_that_torch_would_ignore_is_refused(tmp_path: Path) -> None:
    said = check(tmp_path, "model: {name: lstm, dropout: 0.2}\n")
    assert "model.dropout is 0.2, but acts only between layers: set num_layers to 2 or dropout to 0" in said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model: {name: gur}", "Unknown model 'gur'. Did you mean 'gru'?"),
        ("model: {name: gru, hiden_size: 3}", "Did you mean 'hidden_size'?"),
        ("model: {name: gru, hidden_size: 0}", "model.hidden_size is 0: expected "),
        ("model: {name: gru, hidden_size: many}", "model.hidden_size is 'many': expected "),
        ("model: {name: gru, dropout: 1.0, num_layers: 2}", "model.dropout is 1.0: expected "),
        ("model: {name: gru, cell: LSTM}", "unknown key 'model.cell'"),
        ("model: {name: gru, nonlinearity: relu}", "unknown key 'model.nonlinearity'"),
        ("model: {name: rnn, nonlinearity: gelu}", "model.nonlinearity is 'gelu': expected 'tanh' or 'relu'"),
        ("model: {name: attention, num_heads: 3}", "model.hidden_size is 64, but 3 heads share it"),
        ("model: {name: dnn, window: 300}", "model looks back 300 candles, but a forecast reads 250"),
        ("model: {name: gru, input_size: 4}", "unknown key 'model.input_size'"),
    ],
)
def test_a_wrong_parameter_is_one_line_with_the_remedy(tmp_path: Path, text: str, complaint: str) -> None:
    said = check(tmp_path, text + "\n")
    assert "mine.yaml:1: " in said
    assert complaint in said


def test_all_parameters_of_torchs_module_reach_it() -> None:
    body = network("lstm", hidden_size=7, num_layers=2, bias=False, dropout=0.3, bidirectional=True).body
    cell = body.cell
    assert isinstance(cell, torch.nn.LSTM)
    kept = (cell.hidden_size, cell.num_layers, cell.bias, cell.dropout, cell.bidirectional, cell.batch_first)
    assert kept == (7, 2, False, 0.3, True, True)
    assert body.output_size == 14


def test_dropout_acts_in_training_alone() -> None:
    model = network("gru", num_layers=2, dropout=0.5)
    model.train()
    assert not torch.equal(model.body(inputs()), model.body(inputs()))
    model.eval()
    assert torch.equal(model.body(inputs()), model.body(inputs()))


def test_every_parameter_has_its_text_for_the_schema() -> None:
    for name in CELLS:
        fields = parameters(name).model_fields
        own = {"nonlinearity"} if name == "rnn" else set()
        assert set(fields) == {"hidden_size", "num_layers", "bias", "dropout", "bidirectional", "skip"} | own
        assert all(field.description for field in fields.values())


def test_a_model_of_a_taken_name_is_refused() -> None:
    with pytest.raises(ValueError, match="model 'gru' is registered twice"):
        MODELS.add("gru", Recurrent)


def test_the_plain_rnns_states_are_those_of_its_nonlinearity() -> None:
    bent, bounded = (network("rnn", nonlinearity=kind).body(5 * inputs()) for kind in ("relu", "tanh"))
    assert bent.min() == 0
    assert bent.max() > 1
    assert bounded.abs().max() <= 1
    assert bounded.min() < 0
