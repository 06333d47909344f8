"""The verdict in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.evaluation.bands import Band, off_bands
from forecaster.evaluation.margin import Margin
from forecaster.evaluation.rows import Row
from forecaster.evaluation.significance import SIGNIFICANT

TITLES = {"skill": "Skill", "no-evidence": "No evidence of skill", "worse": "Worse than a simple formula"}

_SEEN = ", on days that its weights have seen"

_LEAK = 0.01
"""No honest median of daily closes beats the last close by more than this share: on 204 stocks it was within 0.004."""


@dataclass(frozen=True)
class Facts:
    """The facts that the sentences state.

    Args:
        formula: the run is itself a simple formula.
        point: the run forecasts medians only.
        hardest: the formula that the sentence names.
        closest: the formula with the lowest margin, if that is another one.
        missing: formulas that the run was never compared with.
        fewest: smallest number of dates for a significance test.
        needed: test days that would confirm the margin.
        in_sample: last date that the weights were fitted to, if that lies in the test.
    """

    code: str
    model: str
    formula: bool
    point: bool
    hardest: Margin | None
    climatology: Margin | None
    closest: Margin | None
    missing: tuple[str, ...]
    looks: int
    sessions: int
    fewest: int
    needed: int | None
    in_sample: str | None = None

    @property
    def title(self) -> str:
        """What the verdict's sentence begins with."""
        if self.in_sample:
            return f"In-sample, no test of weights fitted up to {self.in_sample}"
        return TITLES[self.code]


def verdict(facts: Facts) -> str:
    """The verdict in one sentence, its title first."""
    subject = "median prices" if facts.point else "ranges"
    if facts.formula:
        return f"A simple formula ({facts.model}): {subject} {_compared(facts)}."
    return f"{facts.title}: {_subject(facts, subject)}{_compared(facts)}."


def brief(facts: Facts) -> str:
    """The verdict in a dozen words, printed with each forecast."""
    hardest = facts.hardest
    if facts.missing or hardest is None or hardest.skill_pinball is None:
        return verdict(facts)
    title = f"A simple formula ({facts.model})" if facts.formula else facts.title
    way = f"{abs(hardest.skill_pinball):.2%} {'better' if hardest.skill_pinball > 0 else 'worse'} than"
    if not hardest.ahead and not hardest.behind:
        way = "no better than"
    text = f"{title}: {'median prices' if facts.point else 'ranges'} {way} {hardest.baseline}"
    if hardest.ahead and facts.closest:
        text += f" and {facts.closest.skill_pinball:.2%} than {facts.closest.baseline}"
    p_value = adjusted(hardest.p_value, facts.looks)
    claimed = p_value is not None and (hardest.ahead or facts.code == "worse")
    return f"{text} ({chance(p_value)})." if claimed else f"{text}."


def ranges(facts: Facts) -> str:
    """The run compared with the simple formulas, in one sentence."""
    seen = f"{facts.title}. " if facts.in_sample else ""
    return f"{seen}{'Median prices' if facts.point else 'Ranges'}: {_compared(facts)}."


def _subject(facts: Facts, subject: str) -> str:
    return f"{subject} " if facts.hardest and facts.hardest.skill_pinball is not None and not facts.missing else ""


def _compared(facts: Facts) -> str:
    hardest = facts.hardest
    if facts.missing or hardest is None:
        never = ", ".join(facts.missing) or "any simple formula"
        return f"this run was never compared with {never}: score it again with forecast backtest RUN"
    if hardest.skill_pinball is None:
        return "no price moved in the test, so nothing can be measured"
    if not hardest.ahead:
        return _not_ahead(facts, hardest)
    formulas = "the hardest of the other formulas" if facts.formula else "the hardest simple formula"
    better = f"{hardest.skill_pinball:.2%} better than {formulas} ({hardest.baseline})"
    if facts.closest:
        better += f" and {facts.closest.skill_pinball:.2%} than the closest ({facts.closest.baseline})"
    if facts.in_sample:
        return f"{better}{_SEEN}"
    if hardest.p_value is None:
        return f"{better}, but {facts.sessions} test days are too few to tell that from luck ({facts.fewest} at least)"
    p_value = chance(hardest.p_value, facts.looks)
    if facts.code == "skill" or (facts.formula and hardest.certain(facts.looks)):
        return f"{better}, {p_value}"
    days = f": you would need about {_round(facts.needed):,} test days to confirm this" if facts.needed else ""
    return f"{better}, which may be luck ({p_value}){days}"


def _not_ahead(facts: Facts, hardest: Margin) -> str:
    name = f"a simple formula ({hardest.baseline})"
    if hardest.baseline == "climatology":
        name = "each ticker's own past, which knows nothing of recent days (climatology)"
    share, seen = abs(hardest.skill_pinball or 0.0), _SEEN if facts.in_sample else ""
    if not hardest.behind:
        return f"no better than {name}{seen}"
    p_value = chance(hardest.p_value, facts.looks)
    certain = f", {p_value}: use that instead" if facts.code == "worse" and not facts.formula else ""
    past = facts.climatology
    also = ""
    if past is not None and past.behind and past is not hardest:
        also = f", and {abs(past.skill_pinball or 0.0):.2%} worse than each ticker's own past (climatology)"
    return f"{share:.2%} worse than {name}{also}{seen}{certain}"


def bands(all_bands: Sequence[Band]) -> str:
    """Coverage of the close's 80 % band, and of the band that is furthest off, if any is off."""
    if not all_bands:
        return "Bands: none, this run forecasts medians only."
    share = min(all_bands, key=lambda one: (abs(one.band - 0.8), one.step != "all"))
    text = f"Bands: promised {share.band:.0%}, held {share.held:.1%}"
    off = off_bands(all_bands)
    if not off:
        return f"{text}."
    worst = off[0]
    where = "on average" if worst.step == "all" else f"at step {worst.step}"
    way = "narrow" if worst.off < 0 else "wide"
    held = "" if worst is share else f": the {worst.band:.0%} band held {worst.held:.1%} {where}"
    return f"{text}, too {way}{held} ({abs(worst.off):.1f} standard errors off)."


def direction(close: Row | None, looks: int) -> str:
    """Direction of the close: nobody predicts that of daily closes, so a run that seems to should be doubted.

    Args:
        close: the row that compares the absolute error of the median close with that of the last close.
    """
    if close is None or close.skill_mae is None:
        return "Direction: none, as expected."
    gain = close.skill_mae
    certain = close.p_value is not None and close.p_value * looks < SIGNIFICANT
    misses = f"the median close misses by {abs(gain):.2%} {'less' if gain > 0 else 'more'} than the last close"
    if gain > _LEAK and certain:
        return f"Direction: {misses}, too good to be true for daily closes: look for a leak (forecast doctor RUN)."
    return f"Direction: none, as expected ({misses})."


def _round(number: int) -> int:
    """Rounds to two digits: an estimate from one test is not more precise."""
    return round(number, 2 - len(str(number)))


def percent(fraction: float | None) -> str:
    """A signed percentage, such as +2.95%."""
    return "unknown" if fraction is None else f"{fraction:+.2%}"


def chance(p_value: float | None, looks: int = 1) -> str:
    """The p-value as text, corrected for the models that were tried on the same test."""
    if p_value is None:
        return "too few dates for a test"
    corrected = adjusted(p_value, looks) or 0.0
    text = "p < 0.0001" if corrected < 1e-4 else f"p = {corrected:.2g}"
    return text if looks == 1 else f"{text}, corrected for the {looks} models tried on this test"


def adjusted(p_value: float | None, looks: int) -> float | None:
    """The p-value for the best of `looks` models (Bonferroni)."""
    return None if p_value is None else min(p_value * looks, 1.0)
