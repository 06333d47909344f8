"""A verdict on a run's track record."""

from __future__ import annotations

import math
from dataclasses import dataclass

from forecaster.baselines import FORMULAS
from forecaster.evaluation.sentences import adjusted, chance
from forecaster.evaluation.significance import FEWEST_DATES, SIGNIFICANT, dates_needed
from forecaster.evaluation.track import TrackRow


@dataclass(frozen=True)
class TrackVerdict:
    """Verdict on a run's live forecasts: `skill`, `no-evidence`, `worse` or `too-few`.

    Args:
        more_dates: how many more dates of forecasts are needed for a test, or to confirm such a difference.
    """

    run: str
    code: str
    text: str
    more_dates: int | None


def judge(row: TrackRow, runs: int = 1) -> TrackVerdict:
    """Judges all live forecasts of a run: like a test's verdict, it requires that every simple formula is beaten.

    Args:
        runs: number of runs with a live record, by which p is multiplied (Bonferroni).
    """
    if row.dates < FEWEST_DATES or row.p_value is None or row.skill_hardest is None:
        more = max(FEWEST_DATES - row.dates, 1)
        count = f"whole forecasts from {_days(row.dates)} are compared with actual prices, the least is {FEWEST_DATES}"
        return TrackVerdict(row.run, "too-few", f"Too few to judge {row.run}: {count}: {more} more.", more)
    way = "better" if row.skill_hardest > 0 else "worse"
    # As in a test's verdict: skill must beat every formula, which needs no correction, but `worse` picks one of them.
    p_value = adjusted(row.p_hardest, runs if row.skill_hardest > 0 else len(FORMULAS) * runs)
    share = f", corrected for {runs} runs" if runs > 1 else ""
    figures = f"ranges {abs(row.skill_hardest):.2%} {way} than {row.hardest}, {chance(p_value)}{share}"
    where = f"in {row.forecasts:,} live forecasts from {_days(row.dates)}"
    if p_value is not None and p_value < SIGNIFICANT:
        code, word = ("skill", "Skill") if row.skill_hardest > 0 else ("worse", "Worse than a simple formula")
        return TrackVerdict(row.run, code, f"{word}: {row.run} has {figures}, {where}.", None)
    ahead = row.dm_hardest if row.skill_hardest > 0 and row.dm_hardest is not None else math.nan
    needed = dates_needed(ahead, row.dates, runs)
    more_dates = None if needed is None else max(needed - row.dates, 1)
    takes = f"; you would need about {more_dates:,} more days to confirm this" if more_dates else ""
    text = f"No evidence of skill: {row.run} has {figures}, {where}{takes}."
    return TrackVerdict(row.run, "no-evidence", text, more_dates)


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"
