"""Were the labels of training those of the days that the forecast speaks of?

The draws of a step are a function of seed and step alone: the last ones are made again, their labels are rebuilt from
the candles, and the loss of the weights on them is held against the one that training reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from forecaster.axes import Bool, Float
from forecaster.baselines import FittedBaseline
from forecaster.evaluation.canaries import CANARIES, STILL, Check, Patient, found, moved
from forecaster.evaluation.metrics import pinball
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.sweep import Runnable
from forecaster.training.files import CurvePoint
from forecaster.training.fit import seed_of
from forecaster.training.sampling import LARGEST_MOVE, Sampler

_TOLERANCE = 0.1
"""Between what training reported and what its labels should give; honest runs came within .6 %."""

_NEAR, _NEAR_AT_FIRST = 0.003, 0.01
"""As near as this, no other explanation is looked for; in the first stretch of a training the weights still run."""

_LEAST_GAIN = 5e-4
"""Share by which training must have lowered the loss: what is less is no learning."""

_TRUE = (0, 0)
_EXPLANATIONS = {
    _TRUE: "true labels",
    (1, 0): "labels of the next origin",
    (-1, 0): "labels of the origin before",
    (0, 1): "outcomes one session later",
    (0, -1): "outcomes one session earlier",
}
"""By the shift of the origin and of the outcome, in sessions."""


@CANARIES.register("labels")
def labels(patient: Patient) -> Check:
    """The loss that training reported, beside the loss of its weights with labels rebuilt from the candles."""
    still = not moved(patient.dataset, patient.dataset.origins(patient.period))
    told = [] if still else list(_compared(patient))
    wrong = [one for one in told if one.wrong]
    idle = [one for one in told if one.learnt_nothing]
    worst = max(wrong or idle or told, key=lambda one: abs(one.ratio - 1), default=None)
    return found(
        "labels",
        not (wrong or idle) if told else None,
        worst.ratio - 1 if worst else None,
        broken=bool(wrong),
        measured=worst.in_words() if worst else STILL if still else "no network with a training curve",
        expected=f"within {_TOLERANCE:.0%}, and no shift of the labels that explains it better",
        meaning=(
            "The network learnt of the very sessions that its forecasts speak of.",
            "What the network learnt are not the moves of the sessions that its forecasts speak of."
            if wrong
            else "It learnt nothing: its loss is where training began. Train longer, or with a higher learning rate.",
        )
        if told
        else "Labels that are all alike cannot be told apart."
        if still
        else "What is fitted without steps has no reported loss to compare with.",
    )


@dataclass(frozen=True)
class _Loss:
    """What training reported of a network, in units of the loss that labels rebuilt from the candles give.

    Args:
        near: a difference that needs no other explanation.
        explanation: whose loss comes nearest to the reported one.
        gain: share by which its loss is lower than that of the quantiles that it started from, on the same draws.
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
        told = f"{self.name}: training reported a loss {abs(self.ratio - 1):.2%} {way} that of true labels"
        if self.learnt_nothing and not self.wrong:
            return f"{told}, which is no lower than without any training"
        if self.explanation == _TRUE or not self.wrong:
            return told
        return f"{told}; {_EXPLANATIONS[self.explanation]} fit better"


def _compared(patient: Patient) -> Iterator[_Loss]:
    dataset = replace(patient.dataset, steps=patient.config.task.learnt)  # a recursive decoder learns the first alone
    sampler = Sampler(dataset, patient.config.task, patient.period, torch.device("cpu"))
    for number, (member, model) in enumerate(zip(patient.members, patient.config.networks, strict=True)):
        curve = patient.curves[number]
        if isinstance(member, FittedBaseline) or not curve:
            continue
        reported, begin, end = _reported(curve)
        losses = _losses(patient, member, sampler, patient.config.training.seed + number, range(begin, end))
        ratios, gain = reported / losses[:-1], 1 - float(losses[0] / losses[-1])
        nearest = list(_EXPLANATIONS)[int(np.argmin(np.abs(np.log(ratios))))]
        name = model.name if len(patient.members) == 1 else f"member {number + 1} ({model.name})"
        exact = patient.same_candles and not patient.config.task.teacher_forcing  # which is fed what no forecast knows
        near = _TOLERANCE / 2 if not exact else _NEAR if begin else _NEAR_AT_FIRST
        yield _Loss(name, float(ratios[0]), near, nearest, gain)


def _reported(curve: Sequence[CurvePoint]) -> tuple[float, int, int]:
    """Mean loss of the stretch that ends with the weights that were kept, the best by validation or the last."""
    ends = [0, *(point.step for point in curve)]
    judged = [point.validation for point in curve if point.validation is not None]
    kept = int(np.argmin(judged)) if judged else len(curve) - 1
    return curve[kept].loss, ends[kept], ends[kept + 1]


def _losses(
    patient: Patient, member: Runnable, sampler: Sampler, seed: int, steps: range
) -> Float[np.ndarray, " explanation"]:
    """Loss of a network over the draws of some steps, as in training, for each explanation of the labels.

    The last is that of the base quantiles with true labels: where training began.
    """
    dataset, task = replace(patient.dataset, steps=patient.config.task.learnt), patient.config.task
    by_outcome = {
        outcome: replace(dataset, steps=tuple(step + outcome for step in dataset.steps)) for outcome in (-1, 0, 1)
    }
    base = patient.model.header.base[: len(dataset.steps)]
    losses, generator = [], torch.Generator()
    for step in steps:
        generator.manual_seed(seed_of(seed, step))
        rows, last = (part.numpy() for part in sampler.chunks(patient.config.training.batch, generator))
        quantiles = member.run(dataset.features.values[np.minimum(rows, last)], sampler.span).astype(float)
        origins = rows[:, -sampler.span :]
        known = origins[..., None] + np.asarray(dataset.steps) <= last[..., None]
        origins = np.minimum(origins, last)
        known &= dataset.features.ready[origins][..., None]
        units = dataset.units(origins.ravel())[..., None]
        told = [
            _loss(quantiles, by_outcome[outcome], origins.ravel() + origin, units, known, task.levels)
            for origin, outcome in _EXPLANATIONS
        ]
        start = np.broadcast_to(base, quantiles.shape)
        losses.append([*told, _loss(start, dataset, origins.ravel(), units, known, task.levels)])
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
    """Mean pinball with the labels of some origins, without the factor 2."""
    moves = dataset.moves(np.clip(origins, 0, len(dataset.features.ready) - 1)) / units
    targets = np.clip(moves, -LARGEST_MOVE, LARGEST_MOVE)
    sure = known.reshape(len(origins), -1) & np.isfinite(targets).all(axis=-1)
    loss = pinball(quantiles.reshape((*targets.shape, -1)), np.nan_to_num(targets), levels).mean(axis=-1) / 2
    return float(loss[sure].mean())
