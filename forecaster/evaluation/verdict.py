"""What the numbers say, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.evaluation.rows import Row, find
from forecaster.evaluation.significance import dates_needed

SIGNIFICANT = 0.05
"""Largest p at which a difference is called skill."""

GUARD = "climatology"
"""Who does not beat this too knows how a ticker moves on any day, and nothing of the days to come."""


@dataclass(frozen=True)
class Verdict:
    """`skill`, `no-evidence` or `worse`, of the model against the reference over prices and steps.

    Args:
        sessions_needed: how long a test would see a difference of this size four times out of five.
    """

    code: str
    text: str
    baseline: str
    pinball_skill: float | None
    p_value: float | None
    sessions_needed: int | None


def make_verdict(rows: Sequence[Row], model: str, reference: str, period: str, sessions: int) -> Verdict:
    """Judge a model by its rows.

    Args:
        period: the test's extent in words.
        sessions: dates in it.
    """
    overall = find(rows, model, "mean", "all", reference)
    guarded = reference != GUARD and any(row.baseline == GUARD for row in rows)
    guard = find(rows, model, "mean", "all", GUARD) if guarded else None
    code = _code(overall, guard)
    figures = (
        f"{percent(overall.skill_pinball)} pinball skill over the {reference}, {chance(overall.p_value)}, on {period}"
    )
    needed = dates_needed(overall.dm_statistic or math.nan, sessions)
    takes = f"to see such a difference takes about {needed:,} sessions" if needed else ""
    sentence = {
        "skill": f"Skill: {figures}. {_subject(overall)}, it knows better than the reference{takes and f'; {takes}'}.",
        "no-evidence": f"No evidence of skill: {figures}. {_doubt(overall, guard, takes)}.",
        "worse": f"Worse than the reference: {figures}. Use the reference instead.",
    }[code]
    text = f"{sentence}{_direction(rows, model, reference)}"
    return Verdict(code, text, reference, overall.skill_pinball, overall.p_value, needed)


def _code(overall: Row, guard: Row | None) -> str:
    if _beats(overall) and (guard is None or _beats(guard)):
        return "skill"
    return "worse" if _certain(overall) and (overall.skill_pinball or 0.0) < 0 else "no-evidence"


def _certain(row: Row) -> bool:
    return row.p_value is not None and row.p_value < SIGNIFICANT


def _beats(row: Row) -> bool:
    return _certain(row) and row.skill_pinball is not None and row.skill_pinball > 0


def _subject(overall: Row) -> str:
    return "Where prices go" if overall.coverage80 is None else "How far prices may move"


def _doubt(overall: Row, guard: Row | None, takes: str) -> str:
    if guard is not None and _beats(overall):
        beside = (
            f"{percent(guard.skill_pinball)} over each ticker's own past quantiles ({GUARD}), {chance(guard.p_value)}"
        )
        return (
            f"It is {beside}: it knows how much these tickers move, but no more of the coming days than of any others"
        )
    return f"This test cannot tell it from the reference{takes and f'; {takes}'}"


def _direction(rows: Sequence[Row], model: str, reference: str) -> str:
    """What the medians say about where the close goes, beside the last close carried forward."""
    echo = [row for row in rows if row.name == "last-close" and row.variable == "close" and row.step == "all"]
    own = find(rows, model, "close", "all", reference)
    if not echo or not echo[0].mae or own.mae is None:
        return ""
    gain = 1 - own.mae / echo[0].mae
    beside = f"its median close misses by {abs(gain):.2%} {'less' if gain > 0 else 'more'} than the last close does"
    return f" Where the close goes: {beside}; no claim is made of it."


def percent(fraction: float | None) -> str:
    """A signed share, such as +2.95%."""
    return "unknown" if fraction is None else f"{fraction:+.2%}"


def chance(p_value: float | None) -> str:
    """How probable such a difference is by luck."""
    if p_value is None:
        return "too few dates for a test"
    return "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.2g}"
