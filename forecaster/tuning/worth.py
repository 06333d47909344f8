"""What the best of many trials is worth: how far ahead it would be by luck, if all were equally good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float
from forecaster.evaluation.significance import FEWEST_DATES

FEWEST_TRIALS = 3
"""Fewest different complete trials to judge luck by."""

_DRAWS = 2000
_BLOCK = 10
"""Dates that are drawn together, at least: their losses are correlated."""


@dataclass(frozen=True)
class Worth:
    """Skills as fractions.

    Args:
        trials: different complete trials.
        gain: by how much the best is better than what it is compared with.
        own: it is compared with the config as written; otherwise with the mean of all trials.
        luck: mean lead that the best would have if all were equally good.
        p_value: probability of such a lead, or a larger one, if all were equally good.
    """

    trials: int
    gain: float
    own: bool
    luck: float
    p_value: float

    @property
    def left(self) -> float:
        """What of the gain is more than luck."""
        return max(self.gain - self.luck, 0.0)

    @property
    def text(self) -> str:
        """One honest line."""
        against = "the config as written" if self.own else "the mean of the trials"
        if self.gain <= 0:
            return f"None of {self.trials} different trials is better in validation than {against}: keep it."
        return (
            f"The best of {self.trials} different trials is {self.gain:+.2%} ahead of {against} in validation; were "
            f"all equally good, luck alone would put the best {self.luck:+.2%} ahead (p = {self.p_value:.2g}): expect "
            f"{self.left:+.2%} of it to last, and only a test can tell."
        )


def worth(losses: Sequence[Float[np.ndarray, " date"]], best: int, own: int | None, steps: int) -> Worth | None:
    """Draws dates again and again, in blocks, after making all trials equally good; None with too few of either.

    Args:
        losses: of each different complete trial by date, relative to the reference's mean.
        best: place of the best trial in `losses`; `own` that of the config as written.
        steps: the longest horizon in sessions: neighbouring dates share it.

    Source: White (2000), "A Reality Check for Data Snooping", with Politis & Romano's circular blocks.
    """
    table = np.stack(losses) if losses else np.empty((0, 0))
    count, dates = table.shape
    if count < FEWEST_TRIALS or dates < FEWEST_DATES:
        return None
    ahead = table.mean(axis=0) - table  # of each trial by date
    gains = ahead.mean(axis=1)
    noise = (ahead - gains[:, None]) @ _draws(dates, min(max(_BLOCK, 2 * steps), dates // 3)).T
    base, rest = (0.0, 0.0) if own is None else (gains[own], noise[own])
    gain, leads = float(gains[best] - base), noise.max(axis=0) - rest
    return Worth(count, gain, own is not None, float(leads.mean()), float((leads >= gain).mean()))


def _draws(dates: int, block: int) -> Float[np.ndarray, "draw date"]:
    """How often each date is in a sample of blocks, over the number of dates drawn."""
    starts = np.random.default_rng(0).integers(dates, size=(_DRAWS, -(-dates // block)))
    drawn = ((starts[..., None] + np.arange(block)) % dates).reshape(_DRAWS, -1)
    counts = np.zeros((_DRAWS, dates))
    np.add.at(counts, (np.arange(_DRAWS)[:, None], drawn), 1.0)
    return counts / drawn.shape[1]
