"""The sentences of a report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.baselines import BASELINES, FORMULAS
from forecaster.evaluation.diagnose import Diagnosis
from forecaster.evaluation.diagnostics import Echo
from forecaster.evaluation.scorecard import Scorecard
from forecaster.evaluation.verdict import NO_EVIDENCE, SKILL, WORSE
from forecaster.show.report.tables import basis_points, percent


def headline(card: Scorecard) -> str:
    """The verdict in one plain sentence: the page's title."""
    verdict = card.verdict
    subject = "ranges" if verdict.coverage else "median prices"
    if card.model in FORMULAS:
        return f"This run is itself a simple formula ({card.model})."
    if card.in_sample:
        return f"In-sample: no test of its {subject}."
    said = {
        SKILL: f"Its {subject} beat every simple formula in the test.",
        NO_EVIDENCE: f"Nothing shows that its {subject} beat a simple formula.",
        WORSE: f"A simple formula forecasts {subject} better than this run.",
    }
    return said.get(verdict.code, verdict.text)


def verdict(card: Scorecard) -> str:
    """The verdict's sentences, below the headline."""
    return " ".join(card.verdict.lines)


def ahead(steps: Sequence[int]) -> str:
    """`1 to 5 sessions ahead`, `1, 2 and 20 sessions ahead`."""
    if len(steps) > 2 and steps[-1] - steps[0] == len(steps) - 1:
        return f"{steps[0]} to {_count(steps[-1], 'session')} ahead"
    head = ", ".join(map(str, steps[:-1]))
    return f"{f'{head} and ' if head else ''}{_count(steps[-1], 'session')} ahead"


def no_curve(names: Sequence[str]) -> str:
    """Why some or all members have no training curve; empty where each has one."""
    fitted = [name for name in names if name in BASELINES]
    if not fitted:
        return ""
    which = (
        "This run has no network: its forecasts" if len(fitted) == len(names) else f"Forecasts of {', '.join(fitted)}"
    )
    return (
        f"{which} are computed from the candles, or from a few coefficients fitted in closed form, "
        "without training steps: there is no training curve."
    )


def looks(card: Scorecard) -> str:
    """How many models were tried on the test period."""
    count = card.looks
    if card.in_sample:
        return "Margins on days that the weights have seen have no p-value."
    if count == 1:
        return "This is the only model that was tried on this test so far."
    return f"{count} different models were tried on this test so far, and p is corrected for that."


def calibration(found: Diagnosis) -> str:
    """How far actual coverage lies from nominal."""
    if len(found.levels) == 1:
        shares = ", ".join(
            f"{share:.1%} of the {name}s"
            for name, share in zip(("open", "high", "low", "close"), found.reached[:, 0], strict=True)
        )
        return (
            "This run forecasts medians alone: it claims no range, and there is no band to calibrate. Of the actual "
            f"prices, {shares} lay at or below the median; half of each would be right."
        )
    off = np.abs(found.reached - np.asarray(found.levels))
    worst = np.unravel_index(int(off.argmax()), off.shape)
    name, level = ("open", "high", "low", "close")[worst[0]], found.levels[worst[1]]
    return (
        f"On average {100 * off.mean():.1f} percentage points lie between a quantile's nominal level and the share "
        f"of outcomes below it; at most {100 * off.max():.1f}, at the {level:.0%} quantile of the {name} "
        f"({found.reached[worst]:.1%})."
    )


def over_time(found: Diagnosis) -> str:
    """Number of months with skill."""
    months = found.by_month
    skill = months.skill[np.isfinite(months.skill)]
    if not len(skill):
        return "No month has anything to score."
    above = int((skill > 0).sum())
    return (
        f"The forecast did better than {found.card.reference} in {above} of {_count(len(skill), 'month')}; "
        f"its best month has {percent(float(skill.max()))}, its worst {percent(float(skill.min()))}. "
        "A month holds the forecasts whose origin, the day of the last close that they know, lies in it."
    )


def per_ticker(found: Diagnosis) -> str:
    """Number of tickers with skill."""
    tickers = found.by_ticker
    known = np.isfinite(tickers.skill)
    skill, names = tickers.skill[known], np.asarray(tickers.names)[known]
    if not len(skill):
        return "No ticker has anything to score."
    if len(skill) == 1:
        return f"The one ticker is {names[0]}: {percent(float(skill[0]))}."
    above = int((skill > 0).sum())
    return (
        f"The forecast did better than {found.card.reference} for {above} of {len(skill)} tickers; the median ticker "
        f"has {percent(float(np.median(skill)))}, the best {percent(float(skill.max()))} ({names[skill.argmax()]}), "
        f"the worst {percent(float(skill.min()))} ({names[skill.argmin()]}). One ticker alone has few days: "
        "differences between tickers are mostly chance. Its origins are the days that it was forecast from."
    )


def echo(found: Echo) -> str:
    """Whether the forecast of the close is an echo, in words."""
    near, distance = found.nearest, _count(found.step, "session")
    to_near, to_actual = basis_points(found.misses[near]), basis_points(found.misses[0])
    if found.is_echo:
        said = (
            f"For the close, the forecast repeats what is known: {distance} ahead, the median close lies "
            f"{to_near} basis points from {_close(near, found.step)}, but {to_actual} from the actual close. An "
            "honest forecast of daily closes can hardly do otherwise. Drawn as a line over the actual closes it "
            "would look like a good forecast that comes late."
        )
    elif near == 0:
        said = (
            f"At {distance} ahead, the median close lies nearer to the actual close ({to_actual} basis "
            f"points) than to the last one known ({basis_points(found.misses[found.step])}). For daily closes that is "
            "too good: look for a leak of the future before you believe it."
        )
    else:
        said = (
            f"At {distance} ahead, the median close lies nearest to the close {_count(near, 'session')} before "
            f"the predicted day ({to_near} basis points), which was not known yet; from the actual close it "
            f"lies {to_actual}."
        )
    return f"{said} {_correlation(found)}"


def _correlation(found: Echo) -> str:
    if found.correlation is None:
        return "It never moves the close, so there is no correlation with the actual moves."
    return (
        f"The predicted moves correlate with the actual ones by r = {found.correlation:+.3f}: 0 is no "
        "relation, 1 a perfect one."
    )


def _close(lag: int, step: int) -> str:
    return (
        "the last close known"
        if lag == step
        else f"the close {_count(lag - step, 'session')} before the last one known"
    )


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
