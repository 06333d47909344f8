"""Were the labels of training those of the days that the forecast speaks of?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import FittedBaseline
from forecaster.evaluation.canaries import CANARIES, Check, Patient, found
from forecaster.evaluation.metrics import pinball
from forecaster.features.dataset import Rows
from forecaster.inference.sweep import Reach, Runnable, standardised_quantiles
from forecaster.training.sampling import LARGEST_MOVE

_TOLERANCE = 0.1
"""Between what training reported and what its labels should give; honest runs came within 3 %."""

_NOISE = {"dense": 0.75, "window": 2.5}
"""Added for a loss that is the mean of few chunks: three standard errors, times √chunks."""

_BLOCKS, _SPAN = 128, 64
"""Stretches of the fitted period that are looked at, and origins in each."""

_SHIFTS = (-1, 0, 1)


@CANARIES.register("labels")
def labels(patient: Patient) -> Check:
    """The loss that training reported, beside the loss of its weights with labels rebuilt from the candles."""
    told = list(_compared(patient))
    wrong = [one for one in told if one.wrong]
    worst = max(wrong or told, key=lambda one: abs(one.ratio - 1), default=None)
    return found(
        "labels",
        not wrong if told else None,
        worst.ratio - 1 if worst else None,
        measured=worst.in_words() if worst else "no network with a training curve",
        expected=f"within {_TOLERANCE:.0%} (more after few steps), and no shift of the labels that explains it better",
        meaning=(
            "The network learnt of the very sessions that its forecasts speak of.",
            "What the network learnt are not the moves of the sessions that its forecasts speak of.",
        )
        if told
        else "What is fitted without steps has no reported loss to compare with.",
    )


@dataclass(frozen=True)
class _Loss:
    """What training reported of a network, in units of the loss that labels rebuilt from the candles give.

    Args:
        noise: how far off it may be by the luck of the draw.
        shift: of the labels whose loss comes nearest, in sessions.
    """

    name: str
    ratio: float
    noise: float
    shift: int

    @property
    def wrong(self) -> bool:
        off = abs(self.ratio - 1)
        return off > _TOLERANCE + self.noise or (self.shift != 0 and off > max(_TOLERANCE / 2, self.noise))

    def in_words(self) -> str:
        way = "above" if self.ratio > 1 else "below"
        told = f"{self.name}: training reported a loss {abs(self.ratio - 1):.1%} {way} that of true labels"
        if not self.shift or not self.wrong:
            return told
        return f"{told}; labels of one session {'later' if self.shift > 0 else 'earlier'} fit better"


def _compared(patient: Patient) -> Iterator[_Loss]:
    rows = _sample(patient)
    for number, (member, model) in enumerate(zip(patient.members, patient.config.networks, strict=True)):
        curve = [point for point in patient.curve if point["member"] == str(number)]
        if isinstance(member, FittedBaseline) or not curve:
            continue
        reported, steps = _reported(curve)
        ratios = reported / _losses(patient, member, rows)
        nearest = _SHIFTS[int(np.argmin(np.abs(np.log(ratios))))]
        name = model.name if len(patient.members) == 1 else f"member {number + 1} ({model.name})"
        noise = _NOISE[patient.config.task.supervision] / np.sqrt(steps * patient.config.training.batch)
        yield _Loss(name, float(ratios[_SHIFTS.index(0)]), float(noise), nearest)


def _reported(curve: Sequence[Mapping[str, str]]) -> tuple[float, int]:
    """Mean loss around the step whose weights were kept, the best by validation or the last; over how many steps."""
    ends = np.array([0, *(int(point["step"]) for point in curve)])
    judged = [float(point["validation"]) for point in curve if point["validation"]]
    kept = int(np.argmin(judged)) if judged else len(curve) - 1
    near = slice(max(kept - 1, 0), kept + 2)
    steps = np.diff(ends)[near]
    losses = np.array([float(point["loss"]) for point in curve[near]])
    return float(losses @ steps / steps.sum()), int(steps.sum())


def _sample(patient: Patient) -> Rows:
    """Origins of the fitted period: stretches under dense supervision, as many single ones under `window`."""
    dense = patient.config.task.supervision == "dense"
    rows = patient.dataset.origins(patient.period, patient.config.task.context)
    count, span = (_BLOCKS, _SPAN) if dense else (_BLOCKS * 16, 1)
    starts = np.random.default_rng(0).choice(rows, min(count, len(rows)), replace=False)
    return np.intersect1d(rows, (starts[:, None] + np.arange(span)).ravel())


def _losses(patient: Patient, member: Runnable, rows: Rows) -> Float[np.ndarray, " shift"]:
    """Loss of a network as in training, for labels that lie one session earlier, right, and one session later."""
    dataset, task = patient.dataset, patient.config.task
    reach = Reach.of(task, span=_SPAN) if task.supervision == "dense" else Reach.of(task)
    quantiles = standardised_quantiles(member, dataset, rows, reach).astype(float)
    losses = []
    for shift in _SHIFTS:
        shifted = replace(dataset, steps=tuple(step + shift for step in dataset.steps))
        targets = np.clip(shifted.moves(rows) / dataset.units(rows)[..., None], -LARGEST_MOVE, LARGEST_MOVE)
        known = dataset.known(rows, patient.period) & np.isfinite(targets).all(axis=-1)
        loss = pinball(quantiles, np.nan_to_num(targets), task.levels) / 2
        losses.append(loss[known].mean())
    return np.array(losses)
