"""Does the next session's forecast, in units of its scale, depend on the newest candle?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Bool
from forecaster.baselines import FittedBaseline
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.evaluation.canaries import CANARIES, NO_MOVES, Check, RunUnderTest, any_move, check
from forecaster.evaluation.canaries.perturb import another_day, sample
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.ensemble import Member
from forecaster.inference.sweep import Reach, standardised_quantiles

_DAYS = 3
_LENGTH = 400
_BACK = 10
"""Candles that are changed, one at a time, the newest first."""

_LEAST = 1e-7
"""Smallest change of a quantile that counts, relative to the largest: below it is float32 rounding."""


@CANARIES.register("newest-candle")
def newest_candle(run: RunUnderTest) -> Check:
    """Changes the newest candle, then the one before, …: each member's first step must follow the newest."""
    expected = "step 1 follows the newest candle in every trial"
    if not any_move(run.dataset, run.dataset.origins(run.period)):
        meaning = "A model trained on prices that never moved cannot follow any."
        return check("newest-candle", None, None, measured=NO_MOVES, expected=expected, meaning=meaning)
    days = np.unique(run.dataset.panel.sessions[run.rows])
    days = np.unique(days[np.linspace(0, len(days) - 2, _DAYS).astype(int)])
    texts, verdicts, share = [], [], []
    for number, (member, model) in enumerate(zip(run.members, run.config.networks, strict=True), 1):
        by_day = [
            _follows(run, member, [one.between(end=day) for one in bars])
            for day in days
            if (bars := sample(run.bars, day, run.config.task.context, _LENGTH))
        ]
        who = model.name if len(run.members) == 1 else f"member {number} ({model.name})"
        if not by_day:
            continue
        follows = np.concatenate(by_day)
        # Climatology never changes by design; a network that never changes is broken.
        unchanging = isinstance(member, FittedBaseline) and not follows.any()
        verdicts.append(None if unchanging else bool(follows[:, 0].all()))
        share.append(float(follows[:, 0].mean()))
        texts.append(f"{who} never changes, by design" if unchanging else f"{who}: {_in_words(follows)}")
    judged = [verdict for verdict in verdicts if verdict is not None]
    return check(
        "newest-candle",
        all(judged) if judged else None,
        min(share, default=None),
        measured="; ".join(texts) or "no ticker has candles around the test",
        expected=expected,
        meaning="A forecast that never changes has no candle to follow."
        if not judged
        else (
            "The network's own output, not only its scale, follows the newest candle.",
            "The network ignores the newest candles: it decodes from an older hidden state and is stale.",
        ),
    )


def _follows(run: RunUnderTest, member: Member, bars: Sequence[Bars]) -> Bool[np.ndarray, "ticker back"]:
    """Whether the first step of the forecast from the last candle changes with each of the candles before it."""
    now = _first_step(run, member, bars)
    changed = [_first_step(run, member, [another_day(one, back) for one in bars]) for back in range(_BACK)]
    size = np.abs(now).max(axis=(-2, -1))
    moved: np.ndarray = np.stack([np.abs(other - now).max(axis=(-2, -1)) > _LEAST * size for other in changed], axis=1)
    return moved


def _first_step(run: RunUnderTest, member: Member, bars: Sequence[Bars]) -> np.ndarray:
    """Quantiles [ticker, variable, level] of the first step; a network's are in units of the known volatility."""
    config = run.config
    panel = Panel.of(bars, run.dataset.panel.covariates)
    dataset = Dataset(panel, compute_features(panel, config.features), run.dataset.steps)
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
