"""The contract of every registered network, whatever it is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from forecaster.config.schema import ModelConfig
from forecaster.models import MODELS, Body
from forecaster.models.build import make_body, make_network
from forecaster.models.network import Network

INPUTS, STEPS, LEVELS = 5, 3, 7
BASE = torch.linspace(-2, 2, LEVELS).expand(STEPS, 4, LEVELS)


def network(name: str, head: str = "scale", **parameters: object) -> Network:
    torch.manual_seed(0)
    return make_network(ModelConfig(name=name, **parameters), head, INPUTS, BASE)  # type: ignore[arg-type]


def inputs(batch: int = 3, time: int = 12) -> Tensor:
    return torch.randn(batch, time, INPUTS, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=MODELS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_state_for_every_candle(name: str) -> None:
    body: Body = make_body(ModelConfig(name=name), INPUTS)
    assert body(inputs()).shape == (3, 12, body.output_size)
    assert isinstance(body.causal, bool)
    assert isinstance(body.skip, bool)


def test_later_inputs_do_not_change_earlier_states(name: str) -> None:
    body = make_body(ModelConfig(name=name), INPUTS)
    assert body.causal, "a body is causal unless asked otherwise"
    changed = inputs()
    changed[:, 7:] = 100.0
    assert torch.equal(body(inputs())[:, :7], body(changed)[:, :7])
    assert not torch.equal(body(inputs())[:, 7:], body(changed)[:, 7:])


def test_tickers_of_a_batch_do_not_touch(name: str) -> None:
    body = make_body(ModelConfig(name=name), INPUTS)
    changed = inputs()
    changed[1:] = 100.0
    assert torch.equal(body(inputs())[0], body(changed)[0])


@pytest.mark.parametrize("head", ["scale", "quantile", "point"])
@pytest.mark.parametrize("last", [1, 4, 12])
def test_a_forecast_at_each_of_the_last_candles(name: str, head: str, last: int) -> None:
    base = BASE[..., 3:4] if head == "point" else BASE
    model = make_network(ModelConfig(name=name), head, INPUTS, base)
    assert model(inputs(), last).shape == (3, last, STEPS, 4, base.shape[-1])


def test_step_one_hangs_on_the_newest_candle(name: str) -> None:
    """Also without the linear skip, and when the readout has learnt nothing yet."""
    for model in (network(name), network(name, skip=False)):
        candles = inputs().requires_grad_()
        model(candles, 1)[:, -1, 0].sum().backward()
        assert candles.grad is not None
        assert (candles.grad[:, -1].abs().amax(dim=-1) > 0).all()


def test_the_seed_decides_the_weights(name: str) -> None:
    first, second = network(name).state_dict(), network(name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    torch.manual_seed(1)
    other = make_network(ModelConfig(name=name), "scale", INPUTS, BASE).state_dict()
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_weights_make_the_network_again(name: str) -> None:
    model = network(name)
    torch.nn.init.normal_(model.readout.weight)
    torch.manual_seed(7)
    again = make_network(ModelConfig(name=name), "scale", INPUTS, BASE)
    assert not torch.equal(model(inputs(), 12), again(inputs(), 12))
    again.load_state_dict(model.state_dict())
    assert torch.equal(model(inputs(), 12), again(inputs(), 12))


def test_weights_hold_no_base_quantiles_that_the_header_holds_already(name: str) -> None:
    assert not [key for key in network(name).state_dict() if "base" in key]


@pytest.mark.parametrize(("model", "count"), [("gru", 39_528), ("lstm", 51_240), ("rnn", 16_104)])
def test_the_recipes_networks_have_as_many_parameters_as_published(model: str, count: int) -> None:
    """117 features, 64 units, 6 steps of 4 prices, one log-scale each."""
    built = make_network(ModelConfig(name=model), "scale", 117, torch.zeros(6, 4, LEVELS))
    assert sum(parameter.numel() for parameter in built.parameters()) == count


def test_a_network_starts_at_the_base_quantiles(name: str) -> None:
    start = network(name)(inputs(), 1)
    torch.testing.assert_close(start, BASE.expand_as(start), atol=0.2, rtol=0.1)


@pytest.mark.parametrize("decoder", ["direct", "seq2seq", "recursive"])
def test_every_decoder_hangs_on_the_newest_candle_and_on_no_later_one(name: str, decoder: str) -> None:
    torch.manual_seed(0)
    model = make_network(ModelConfig(name=name), "scale", INPUTS, BASE, decoder)
    changed = inputs()
    changed[:, 7:] = 3.0
    both = [model(given, 12) for given in (inputs(), changed)]
    assert both[0].shape == (3, 12, 1 if decoder == "recursive" else STEPS, 4, LEVELS)
    assert torch.equal(both[0][:, :7], both[1][:, :7])
    assert not torch.equal(both[0][:, 7:], both[1][:, 7:])


@pytest.mark.parametrize("decoder", ["direct", "seq2seq"])
def test_going_on_from_what_was_read_is_reading_it_all(name: str, decoder: str) -> None:
    torch.manual_seed(0)
    model = make_network(ModelConfig(name=name), "scale", INPUTS, BASE, decoder).eval()
    torch.nn.init.normal_(model.readout.weight)
    candles = inputs().numpy()
    _, memory = model.advance(candles[:, :7])
    for time in range(7, 12):
        found, memory = model.advance(candles[:, time : time + 1], memory)
        np.testing.assert_allclose(found, model.run(candles[:, : time + 1], 1)[:, 0], atol=1e-5, rtol=1e-5)


def test_a_bounded_network_does_not_know_where_its_stretch_began(name: str) -> None:
    """What a forecast is must not hang on how long a history was read with it."""
    body = make_body(ModelConfig(name=name), INPUTS)
    reach = getattr(body, "reach", None)
    if reach is None:
        return
    whole = inputs(time=reach + 90)
    ends = [*range(reach, reach + 90, 11), reach + 89]
    alone = torch.stack([body(whole[:, end - reach : end])[:, -1] for end in ends], dim=1)
    torch.testing.assert_close(body(whole)[:, [end - 1 for end in ends]], alone, atol=1e-5, rtol=1e-4)
    changed = whole.clone()
    changed[:, 0] = 5.0
    torch.testing.assert_close(body(changed)[:, reach:], body(whole)[:, reach:], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(body(changed)[:, reach - 1], body(whole)[:, reach - 1])


def test_teacher_forcing_feeds_the_true_candle_in_training_alone() -> None:
    torch.manual_seed(0)
    model = make_network(ModelConfig(name="gru"), "scale", INPUTS, BASE, "seq2seq", teacher_forcing=1.0)
    torch.nn.init.normal_(model.readout.weight, std=0.3)
    truth = torch.randn(3, 12, STEPS, 4)
    own, taught = model(inputs(), 12), model(inputs(), 12, truth)
    assert torch.equal(own[:, :, 0], taught[:, :, 0]), "nothing is fed before the first step"
    assert not torch.allclose(own[:, :, 1:], taught[:, :, 1:])
    half = make_network(ModelConfig(name="gru"), "scale", INPUTS, BASE, "seq2seq", teacher_forcing=0.5)
    half.load_state_dict(model.state_dict())
    mixed = half(inputs(), 12, truth)
    second = mixed[:, :, 1].flatten(2)
    from_own, from_truth = ((second == other[:, :, 1].flatten(2)).all(dim=-1) for other in (own, taught))
    assert (from_own | from_truth).all()
    assert from_own.any()
    assert from_truth.any()


def test_a_network_without_skip_has_no_linear_path(name: str) -> None:
    assert network(name, skip=False).skip is None
    assert network(name).skip is not None
