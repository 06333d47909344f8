"""What a tutorial on recurrent networks says of torch's modules, held against torch and against ours."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from forecaster.config.schema import ModelConfig
from forecaster.models.bodies.recurrent import Recurrent
from forecaster.models.build import make_body

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
BATCH, TIME, INPUT, HIDDEN = 5, 7, 4, 6


def body(name: str, **parameters: object) -> Recurrent:
    torch.manual_seed(0)
    made = make_body(ModelConfig(name=name, hidden_size=HIDDEN, **parameters), INPUT)  # type: ignore[arg-type]
    assert isinstance(made, Recurrent)
    return made


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_shapes_of_output_h_n_and_c_n(name: str, layers: int, bidirectional: bool) -> None:
    cell = body(name, num_layers=layers, bidirectional=bidirectional).cell
    directions = 2 if bidirectional else 1
    output, final = cell(torch.randn(BATCH, TIME, INPUT))
    assert output.shape == (BATCH, TIME, directions * HIDDEN)
    for state in final if name == "lstm" else (final,):  # h_n, and c_n of an LSTM
        assert state.shape == (directions * layers, BATCH, HIDDEN)


@pytest.mark.parametrize("name", CELLS)
def test_without_batch_first_time_comes_first(name: str) -> None:
    torch.manual_seed(0)
    cell = CELLS[name](INPUT, HIDDEN)
    assert not cell.batch_first
    inputs = torch.randn(TIME, BATCH, INPUT)
    output, _ = cell(inputs)
    assert output.shape == (TIME, BATCH, HIDDEN)
    ours = body(name)
    ours.cell.load_state_dict(cell.state_dict())
    torch.testing.assert_close(ours(inputs.transpose(0, 1)), output.transpose(0, 1))


@pytest.mark.parametrize("name", CELLS)
def test_with_one_layer_and_direction_the_last_output_is_h_n(name: str) -> None:
    output, final = body(name).cell(torch.randn(BATCH, TIME, INPUT))
    hidden = final[0] if name == "lstm" else final
    assert torch.equal(output[:, -1], hidden[0])
    deep_output, deep_final = body(name, num_layers=2).cell(torch.randn(BATCH, TIME, INPUT))
    deep = deep_final[0] if name == "lstm" else deep_final
    assert torch.equal(deep_output[:, -1], deep[-1]), "with more layers, it is the last layer's"
    assert not torch.equal(deep_output[:, -1], deep[0])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
def test_rnn_gru_and_lstm_have_parameters_as_1_to_3_to_4(layers: int, bias: bool) -> None:
    count = {
        name: sum(weight.numel() for weight in body(name, num_layers=layers, bias=bias).cell.parameters())
        for name in CELLS
    }
    biases = 2 * HIDDEN if bias else 0
    deeper = (layers - 1) * (2 * HIDDEN * HIDDEN + biases)
    assert count["rnn"] == INPUT * HIDDEN + HIDDEN * HIDDEN + biases + deeper
    assert count["gru"] == 3 * count["rnn"]
    assert count["lstm"] == 4 * count["rnn"]


@pytest.mark.parametrize("name", CELLS)
def test_the_number_of_candles_changes_no_weight(name: str) -> None:
    """The same weights at every step: a longer window needs no other network."""
    short, long = body(name)(torch.randn(1, 3, INPUT)), body(name)(torch.randn(1, 300, INPUT))
    assert short.shape[1:] == (3, HIDDEN)
    assert long.shape[1:] == (300, HIDDEN)
