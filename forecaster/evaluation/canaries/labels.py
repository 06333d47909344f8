"""Were the training labels the moves of the days that are forecast?

Each training step's batch is a function of seed and step alone. The last batches are drawn again, their labels are
rebuilt from the candles, and the loss of the weights on them is compared with the loss that training reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from forecaster.axes import Bool, Float
from forecaster.baselines import FittedBaseline
from forecaster.evaluation.canaries import CANARIES, NO_MOVES, Check, RunUnderTest, any_move, check
from forecaster.evaluation.metrics import pinball
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.sweep import Runnable
from forecaster.training.files import CurvePoint
from forecaster.training.fit import seed_of
from forecaster.training.sampling import LARGEST_MOVE, Sampler

_TOLERANCE = 0.1
"""Largest relative difference between the reported and the recomputed loss; honest runs stayed within 0.6 %."""

_NEAR, _NEAR_AT_FIRST = 0.003, 0.01
"""Relative difference that needs no other explanation; larger in the first interval, where weights change fast."""

_LEAST_GAIN = 5e-4
"""Share by which training must have lowered the loss to count as learning."""

_TRUE = (0, 0)
_EXPLANATIONS = {
    _TRUE: "true labels",
    (1, 0): "labels of the next origin",
    (-1, 0): "labels of the origin before",
    (0, 1): "outcomes one session later",
    (0, -1): "outcomes one session earlier",
}
"""By the shift of (origin, outcome), in sessions."""


@CANARIES.register("labels")
def labels(run: RunUnderTest) -> Check:
    """Compares the reported training loss with the loss of the weights on labels rebuilt from the candles."""
    still = not any_move(run.dataset, run.dataset.origins(run.period))
    results = [] if still else list(_results(run))
    wrong = [one for one in results if one.wrong]
    idle = [one for one in results if one.learnt_nothing]
    worst = max(wrong or idle or results, key=lambda one: abs(one.ratio - 1), default=None)
    return check(
        "labels",
        not (wrong or idle) if results else None,
        worst.ratio - 1 if worst else None,
        broken=bool(wrong),
        measured=worst.in_words() if worst else NO_MOVES if still else "no network with a training curve",
        expected=f"within {_TOLERANCE:.0%}, and no shift of the labels that explains it better",
        meaning=(
            "The network was trained on the moves of the sessions that it forecasts.",
            "The network was trained on other moves than those of the sessions that it forecasts."
            if wrong
            else "It learnt nothing: its loss is still the initial one. Train longer, or with a higher learning rate.",
        )
        if results
        else "Labels that are all the same cannot be told apart."
        if still
        else "A model fitted without training steps reports no loss to compare with.",
    )


@dataclass(frozen=True)
class _Loss:
    """A network's reported training loss beside the recomputed one.

    Args:
        ratio: reported loss / loss with labels rebuilt from the candles.
        near: relative difference that needs no other explanation.
        explanation: key of `_EXPLANATIONS` whose loss is closest to the reported one.
        gain: share by which its loss is lower than that of the initial quantiles, on the same batches.
    """

    name: str
    ratio: float
    near: float
    explanation: tuple[int, int]
    gain: float

    @property
    def learnt_nothing(self) -> bool:
        return self.gain < _LEAST_GAIN

    @property
    def wrong(self) -> bool:
        off = abs(self.ratio - 1)
        return off > _TOLERANCE or (self.explanation != _TRUE and off > self.near)

    def in_words(self) -> str:
        way = "above" if self.ratio > 1 else "below"
        text = f"{self.name}: training reported a loss {abs(self.ratio - 1):.2%} {way} that of true labels"
        if self.learnt_nothing and not self.wrong:
            return f"{text}, which is no lower than without any training"
        if self.explanation == _TRUE or not self.wrong:
            return text
        return f"{text}; {_EXPLANATIONS[self.explanation]} fit better"


def _results(run: RunUnderTest) -> Iterator[_Loss]:
    dataset = replace(run.dataset, steps=run.config.task.learnt)  # a recursive decoder learns step 1 only
    sampler = Sampler(dataset, run.config.task, run.period, torch.device("cpu"))
    for number, (member, model) in enumerate(zip(run.members, run.config.networks, strict=True)):
        curve = run.curves[number]
        if isinstance(member, FittedBaseline) or not curve:
            continue
        reported, begin, end = _reported(curve)
        losses = _losses(run, member, sampler, run.config.training.seed + number, range(begin, end))
        ratios, gain = reported / losses[:-1], 1 - float(losses[0] / losses[-1])
        # In logs, so that a ratio of 2 is as far off as one of 1/2.
        nearest = list(_EXPLANATIONS)[int(np.argmin(np.abs(np.log(ratios))))]
        name = model.name if len(run.members) == 1 else f"member {number + 1} ({model.name})"
        # A small difference means something only on the very candles of training.
        exact = run.same_candles and not run.config.task.teacher_forcing  # teacher forcing feeds actual prices
        near = _TOLERANCE / 2 if not exact else _NEAR if begin else _NEAR_AT_FIRST
        yield _Loss(name, float(ratios[0]), near, nearest, gain)


def _reported(curve: Sequence[CurvePoint]) -> tuple[float, int, int]:
    """Mean training loss of the interval that ends at the weights kept (early stopping), and its steps."""
    ends = [0, *(point.step for point in curve)]
    judged = [point.validation for point in curve if point.validation is not None]
    kept = int(np.argmin(judged)) if judged else len(curve) - 1
    return curve[kept].loss, ends[kept], ends[kept + 1]


def _losses(
    run: RunUnderTest, member: Runnable, sampler: Sampler, seed: int, steps: range
) -> Float[np.ndarray, " explanation"]:
    """Mean training loss of a network over the batches of some steps, for each explanation of the labels.

    The last entry is the loss of the base quantiles with true labels: the initial loss.
    """
    dataset, task = replace(run.dataset, steps=run.config.task.learnt), run.config.task
    by_outcome = {
        outcome: replace(dataset, steps=tuple(step + outcome for step in dataset.steps)) for outcome in (-1, 0, 1)
    }
    base = run.model.header.base[: len(dataset.steps)]
    losses, generator = [], torch.Generator()
    for step in steps:
        generator.manual_seed(seed_of(seed, step))
        rows, last = (part.numpy() for part in sampler.chunks(run.config.training.batch, generator))
        quantiles = member.run(dataset.features.values[np.minimum(rows, last)], sampler.span).astype(float)
        origins = rows[:, -sampler.span :]  # [batch, span]: rows of the panel that the loss is taken at
        known = origins[..., None] + np.asarray(dataset.steps) <= last[..., None]
        origins = np.minimum(origins, last)
        known &= dataset.features.ready[origins][..., None]  # [batch, span, horizon]
        units = dataset.units(origins.ravel())[..., None]
        explained = [
            _loss(quantiles, by_outcome[outcome], origins.ravel() + origin, units, known, task.levels)
            for origin, outcome in _EXPLANATIONS
        ]
        start = np.broadcast_to(base, quantiles.shape)
        losses.append([*explained, _loss(start, dataset, origins.ravel(), units, known, task.levels)])
    means: np.ndarray = np.mean(losses, axis=0)
    return means


def _loss(
    quantiles: Float[np.ndarray, "batch span horizon variable quantile"],
    dataset: Dataset,
    origins: Rows,
    units: Float[np.ndarray, "origin horizon 1"],
    known: Bool[np.ndarray, "batch span horizon"],
    levels: tuple[float, ...],
) -> float:
    """Mean pinball loss with the labels of these origins, without the factor 2."""
    moves = dataset.moves(np.clip(origins, 0, len(dataset.features.ready) - 1)) / units
    targets = np.clip(moves, -LARGEST_MOVE, LARGEST_MOVE)
    sure = known.reshape(len(origins), -1) & np.isfinite(targets).all(axis=-1)
    # Halved, because the metric is twice the loss of training.
    loss = pinball(quantiles.reshape((*targets.shape, -1)), np.nan_to_num(targets), levels).mean(axis=-1) / 2
    return float(loss[sure].mean())
