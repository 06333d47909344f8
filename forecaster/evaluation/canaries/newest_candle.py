"""Does the forecast of the next session depend on the newest candle, beyond the scale that it is measured in?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Bool
from forecaster.baselines import FittedBaseline
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.evaluation.canaries import CANARIES, STILL, Check, Patient, found, moved
from forecaster.evaluation.canaries.otherwise import another_day, few
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.ensemble import Member
from forecaster.inference.sweep import Reach, standardised_quantiles

_DAYS = 3
_LENGTH = 400
_BACK = 10
"""Candles that are changed one after the other, the newest first."""

_LEAST = 1e-7
"""Change of a quantile that counts, relative to the largest: below lies the rounding of single precision."""


@CANARIES.register("newest-candle")
def newest_candle(patient: Patient) -> Check:
    """Change the newest candle, then the one before, …: the first step of each member must follow the newest."""
    expected = "step 1 follows the newest candle in every trial"
    if not moved(patient.dataset, patient.dataset.origins(patient.period)):
        meaning = "What learnt from prices that never moved cannot follow any."
        return found("newest-candle", None, None, measured=STILL, expected=expected, meaning=meaning)
    days = np.unique(patient.dataset.panel.sessions[patient.rows])
    days = np.unique(days[np.linspace(0, len(days) - 2, _DAYS).astype(int)])
    stories, verdicts, share = [], [], []
    for number, (member, model) in enumerate(zip(patient.members, patient.config.networks, strict=True), 1):
        told = [
            _follows(patient, member, [one.between(end=day) for one in bars])
            for day in days
            if (bars := few(patient.bars, day, patient.config.task.context, _LENGTH))
        ]
        who = model.name if len(patient.members) == 1 else f"member {number} ({model.name})"
        if not told:
            continue
        follows = np.concatenate(told)
        unchanging = isinstance(member, FittedBaseline) and not follows.any()
        verdicts.append(None if unchanging else bool(follows[:, 0].all()))
        share.append(float(follows[:, 0].mean()))
        stories.append(f"{who} never changes, by design" if unchanging else f"{who}: {_in_words(follows)}")
    judged = [verdict for verdict in verdicts if verdict is not None]
    return found(
        "newest-candle",
        all(judged) if judged else None,
        min(share, default=None),
        measured="; ".join(stories) or "no ticker has candles around the test",
        expected=expected,
        meaning="A forecast that always says the same has no candle to follow."
        if not judged
        else (
            "The network's own answer, not only its unit, follows the newest candle.",
            "The network is blind to the newest candles: it decodes from an older state, and says stale news.",
        ),
    )


def _follows(patient: Patient, member: Member, bars: Sequence[Bars]) -> Bool[np.ndarray, "ticker back"]:
    """Whether the first step of the forecast from the last candle changes with each of the candles before it."""
    now = _first_step(patient, member, bars)
    changed = [_first_step(patient, member, [another_day(one, back) for one in bars]) for back in range(_BACK)]
    size = np.abs(now).max(axis=(-2, -1))
    moved: np.ndarray = np.stack([np.abs(other - now).max(axis=(-2, -1)) > _LEAST * size for other in changed], axis=1)
    return moved


def _first_step(patient: Patient, member: Member, bars: Sequence[Bars]) -> np.ndarray:
    """Quantiles [ticker, variable, level] of the first step: a network's in units of the known volatility."""
    config = patient.config
    panel = Panel.of(bars)
    dataset = Dataset(panel, compute_features(panel, config.features), patient.dataset.steps)
    rows = panel.offsets[1:] - 1
    if isinstance(member, FittedBaseline):
        return np.asarray(member.bind(dataset)(rows))[:, 0]
    return standardised_quantiles(member, dataset, rows, Reach.newest(config.task))[:, 0].astype(float)


def _in_words(follows: Bool[np.ndarray, "trial back"]) -> str:
    always = np.flatnonzero(follows.all(axis=0))
    if len(always) == _BACK:
        return f"each of the last {_BACK} candles counts"
    some = np.flatnonzero(follows.any(axis=0))
    if not len(some):
        return f"none of the last {_BACK} candles counts"
    nearest = int(some[0])
    if nearest:
        return f"the newest {nearest} candle{'s do' if nearest > 1 else ' does'} not count at all"
    return f"the newest candle counts in {follows[:, 0].mean():.0%} of {len(follows)} trials"
