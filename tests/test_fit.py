"""The training loop: its schedule, its determinism, what it keeps, and taking up a checkpoint."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from forecaster.config.schema import LEVELS, ModelConfig, TaskConfig, TrainingConfig
from forecaster.data.splits import Period
from forecaster.errors import DivergedError, InputError
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.training import fit as fit_module
from forecaster.training.checkpoint import CurvePoint
from forecaster.training.device import autocast, choose_device, require_precision
from forecaster.training.fit import Validation, fit, learning_rate
from forecaster.training.sampling import Sampler
from tests.studio import dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

TASK = TaskConfig(horizon=2, context=20)
BASE = np.linspace(-1.5, 1.5, 7) * np.ones((2, 4, 1))


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    data = dataset(panel(200, 150), TASK.steps)
    return Sampler(data, TASK, Period(None, np.datetime64("2010-09-30")), torch.device("cpu"))


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_module, "REPORT_EVERY", 4)


class Trainer:
    """Fits a small network with dropout, so that every kind of randomness counts."""

    def __init__(self, sampler: Sampler, folder: Path) -> None:
        self.sampler, self.folder, self.numbers = sampler, folder, itertools.count()
        self.network: Network

    def __call__(
        self,
        validation: Validation | None = None,
        checkpoint: Path | None = None,
        report: Callable[[int, CurvePoint | None], None] = lambda *_: None,
        **changes: object,
    ) -> list[CurvePoint]:
        config = TrainingConfig.model_validate({"steps": 12, "batch": 4, "warmup": 3, "device": "cpu"} | changes)
        torch.manual_seed(config.seed)
        model = ModelConfig(name="gru", hidden_size=4, num_layers=2, dropout=0.3)  # type: ignore[call-arg]
        self.network = make_network(model, "scale", 11, BASE)
        return fit(
            self.network,
            self.sampler,
            config,
            LEVELS,
            validation=validation,
            checkpoint=checkpoint or self.folder / f"{next(self.numbers)}.safetensors",
            fingerprint="data and config",
            report=report,
        )

    def weights(self) -> bytes:
        return b"".join(value.numpy().tobytes() for value in self.network.state_dict().values())


@pytest.fixture
def train(sampler: Sampler, tmp_path: Path) -> Trainer:
    return Trainer(sampler, tmp_path)


def test_the_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    config = TrainingConfig(steps=600, learning_rate=1e-3, warmup=50)
    assert learning_rate(0, config) == pytest.approx(1e-3 / 50)
    assert learning_rate(24, config) == pytest.approx(1e-3 * 0.5 * 0.5 * (1 + math.cos(math.pi * 24 / 600)))
    assert learning_rate(300, config) == pytest.approx(5e-4)
    assert 0 < learning_rate(599, config) < 1e-8
    assert learning_rate(0, TrainingConfig(steps=10, learning_rate=1e-3, warmup=0)) == pytest.approx(1e-3)


def test_the_same_seed_gives_the_same_bytes(train: Trainer) -> None:
    curve, weights = train(), train.weights()
    torch.rand(17)  # what happens elsewhere does not matter
    assert train() == curve
    assert train.weights() == weights
    assert train(seed=1) != curve
    assert train.weights() != weights


def test_training_leaves_the_callers_randomness_alone(train: Trainer) -> None:
    train()
    torch.manual_seed(0)  # the state that `train` sets before it fits
    make_network(ModelConfig(name="gru", hidden_size=4, num_layers=2, dropout=0.3), "scale", 11, BASE)  # type: ignore[call-arg]
    expected = torch.rand(3)
    train()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("stop", [1, 5, 11])
def test_a_training_interrupted_at_any_step_goes_on_to_the_same_bytes(
    train: Trainer, tmp_path: Path, stop: int
) -> None:
    whole, weights = train(), train.weights()

    def interrupt(step: int, _: CurvePoint | None) -> None:
        if step == stop:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "interrupted.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(checkpoint=checkpoint, report=interrupt)
    assert checkpoint.is_file() == (stop >= 4)
    seen: list[int] = []
    assert train(checkpoint=checkpoint, report=lambda step, _: seen.append(step)) == whole
    assert train.weights() == weights
    assert min(seen) == stop // 4 * 4 or (stop < 4 and min(seen) == 1)


def test_a_checkpoint_of_other_data_is_refused(train: Trainer, sampler: Sampler, tmp_path: Path) -> None:
    checkpoint = tmp_path / "mine.safetensors"
    train(checkpoint=checkpoint)
    with pytest.raises(InputError, match="other candles or another config"):
        fit(
            train.network,
            sampler,
            TrainingConfig(),
            LEVELS,
            validation=None,
            checkpoint=checkpoint,
            fingerprint="other",
        )


def test_a_checkpoint_cut_short_is_refused(train: Trainer, tmp_path: Path) -> None:
    checkpoint = tmp_path / "mine.safetensors"
    train(checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-50])
    with pytest.raises(InputError, match="damaged"):
        train(checkpoint=checkpoint)


def judge(train: Trainer, losses: list[float], kept: list[bytes]) -> Validation:
    """A validation that says these losses one after the other, and notes the weights it was shown."""
    said = iter(losses)

    def loss(network: nn.Module) -> float:
        assert not network.training
        kept.append(train.weights())
        return next(said)

    return Validation(loss, reference=2.0)


@pytest.mark.parametrize(("losses", "best"), [([1.0, 0.5, 0.7], 1), ([0.4, 0.5, 0.4], 0), ([3.0, 2.0, 1.0], 2)])
def test_the_weights_of_the_best_validation_are_kept(train: Trainer, losses: list[float], best: int) -> None:
    shown: list[bytes] = []
    curve = train(judge(train, losses, shown))
    assert train.weights() == shown[best]
    assert [point.step for point in curve] == [4, 8, 12]
    assert [point.validation for point in curve] == losses
    assert [point.skill for point in curve] == [1 - loss / 2 for loss in losses]


def test_without_validation_the_last_weights_are_kept(train: Trainer) -> None:
    train()
    last = train.weights()
    shown: list[bytes] = []
    train(judge(train, [1.0, 2.0, 3.0], shown))
    assert shown[-1] == last
    assert train.weights() == shown[0] != last


def test_the_best_weights_survive_an_interruption(train: Trainer, tmp_path: Path) -> None:
    shown: list[bytes] = []
    checkpoint = tmp_path / "interrupted.safetensors"

    def interrupt(step: int, _: CurvePoint | None) -> None:
        if step == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(judge(train, [0.5, 0.9], shown), checkpoint=checkpoint, report=interrupt)
    train(judge(train, [0.8], shown), checkpoint=checkpoint)
    assert train.weights() == shown[0]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_explodes_is_one_line_with_the_remedy(train: Trainer, value: float) -> None:
    with pytest.raises(InputError, match=r"training\.learning_rate: the validation loss became .* by step 4: lower"):
        train(Validation(lambda _: value, reference=1.0))
    with pytest.raises(InputError, match=r"training\.learning_rate: the loss became .*: lower"):
        train(learning_rate=1e30, warmup=0)


def test_the_curve_is_the_mean_loss_between_reports(train: Trainer) -> None:
    reported: list[tuple[int, CurvePoint | None]] = []
    curve = train(steps=10, report=lambda step, point: reported.append((step, point)))
    assert [point.step for point in curve] == [4, 8, 10]
    assert [step for step, point in reported if point is None] == list(range(1, 11))
    assert [point for _, point in reported if point is not None] == curve


def test_a_device_that_is_not_here_is_refused() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"training\.device is cuda, but this machine has none"):
            choose_device("cuda")


def test_bfloat16_is_refused_where_the_processor_has_no_instructions_for_it() -> None:
    cpu = torch.device("cpu")
    require_precision("float32", cpu)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        require_precision("bfloat16", cpu)
        return
    with pytest.raises(InputError, match=r"^training\.precision is bfloat16, .* use float32\.$"):
        require_precision("bfloat16", cpu)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_is_that_of_the_products_and_of_nothing_else(precision: str) -> None:
    """On any processor: a feed-forward network needs no instructions of its own."""
    network = make_network(ModelConfig(name="dnn"), "scale", 11, BASE)
    found = []
    network.body.register_forward_hook(lambda *given: found.append(given[2].dtype))
    with autocast(precision, torch.device("cpu")):
        network(torch.randn(2, 30, 11), 1).sum().backward()
    assert found == [getattr(torch, precision)]
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in network.body.parameters())


def test_a_training_that_diverges_keeps_its_best_step(sampler: Sampler, tmp_path: Path) -> None:
    trainer = Trainer(sampler, tmp_path)
    measured = itertools.count()
    losses = [2.0, 1.0, math.inf]

    def loss(_: Network) -> float:
        return losses[next(measured)]

    kept = []
    curve = trainer(Validation(loss, 3.0), report=lambda step, point: kept.append(step) if point else None)
    assert [point.step for point in curve] == [4, 8]
    assert all(bool(weight.isfinite().all()) for weight in trainer.network.state_dict().values())
    with pytest.raises(DivergedError, match="the validation loss became inf by step 4: lower the rate"):
        trainer(Validation(lambda _: math.inf, 3.0))
