"""Scores of a model and its baselines → one long table and a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.scores import Scores
from forecaster.evaluation.significance import by_date, dates_needed, diebold_mariano

SIGNIFICANT = 0.05
"""Largest p at which a difference is called skill."""


@dataclass(frozen=True)
class Row:
    """Scores of one model or baseline, for one price and step; `all` steps means losses averaged over them.

    Losses are on log(price / last close), pinball = 2 × the mean over levels; skills and coverages are fractions; p is
    two-sided. A figure that does not exist is None.
    """

    name: str
    kind: str
    variable: str
    step: int | str
    mae: float | None
    pinball: float | None
    crps: float | None
    coverage50: float | None
    coverage80: float | None
    coverage90: float | None
    direction: float | None
    baseline: str | None
    skill_mae: float | None
    skill_pinball: float | None
    dm_statistic: float | None
    p_value: float | None


@dataclass(frozen=True)
class Verdict:
    """`skill`, `no-evidence` or `worse`, of the model against the reference over prices and steps."""

    code: str
    text: str
    baseline: str
    pinball_skill: float | None
    p_value: float | None


@dataclass(frozen=True)
class Scorecard:
    """How a forecast did in a period, beside its baselines on the same origins."""

    origins: int
    tickers: int
    sessions: int
    first: str
    last: str
    horizon: tuple[int, ...]
    reference: str
    rows: tuple[Row, ...]
    verdict: Verdict

    def as_data(self) -> dict[str, Any]:
        """As JSON has it: the rows are called models there, as in every command's output."""
        return {"models" if key == "rows" else key: value for key, value in asdict(self).items()}


def make_scorecard(scores: Mapping[str, Scores], dates: np.ndarray, tickers: int, steps: tuple[int, ...]) -> Scorecard:
    """Make the table; the first of `scores` is the model, the second the reference.

    Args:
        dates: of each origin.
        tickers: how many the origins belong to.
    """
    model, reference, *_ = scores
    rows: list[Row] = []
    for name, own in scores.items():
        other = None if name == reference else scores[reference]
        pair = _Pair(name, "model" if name == model else "baseline", own, reference, other, dates, steps)
        rows.extend(pair.rows())
    extent = f"{len(np.unique(dates))} sessions of {tickers} {'ticker' if tickers == 1 else 'tickers'}"
    period = f"{extent}, {dates.min()} to {dates.max()}"
    return Scorecard(
        origins=len(dates),
        tickers=tickers,
        sessions=len(np.unique(dates)),
        first=str(dates.min()),
        last=str(dates.max()),
        horizon=steps,
        reference=reference,
        rows=tuple(rows),
        verdict=_verdict(rows, model, reference, period, len(np.unique(dates))),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """One forecaster's scores beside the reference's (None for the reference itself)."""

    name: str
    kind: str
    own: Scores
    reference: str
    other: Scores | None
    dates: np.ndarray
    steps: tuple[int, ...]

    def rows(self) -> Iterator[Row]:
        columns_of: dict[int | str, list[int]] = {step: [place] for place, step in enumerate(self.steps)}
        columns_of["all"] = list(range(len(self.steps)))
        for step, columns in columns_of.items():
            for place, variable in enumerate(VARIABLES):
                yield self._row(variable, [place], step, columns)
            yield self._row("mean", [0, 1, 2, 3], step, columns)

    def _row(self, variable: str, places: list[int], step: int | str, columns: list[int]) -> Row:
        bands = [None if band is None else self._mean(band, places, columns).mean() for band in self.own.inside]
        losses = (self.own.pinball, self.own.error, self.own.crps)
        pinball, error, crps = (self._mean(loss, places, columns) for loss in losses)
        compared = self._compared(pinball, error, places, columns) if self.other else (None,) * 5
        figures = (error.mean(), pinball.mean(), crps.mean(), *bands, self._direction(places, columns))
        return Row(self.name, self.kind, variable, step, *map(_number, figures), *compared)  # type: ignore[arg-type]

    def _compared(
        self, pinball: np.ndarray, error: np.ndarray, places: list[int], columns: list[int]
    ) -> tuple[Any, ...]:
        assert self.other is not None
        theirs = self._mean(self.other.pinball, places, columns)
        their_error = self._mean(self.other.error, places, columns)
        whole = np.asarray(self.own.known[:, columns].all(axis=1))
        own, other = (loss[:, columns][..., places].mean(axis=1) for loss in (self.own.pinball, self.other.pinball))
        # Each price weighs the same, as in the mean of the four skills.
        difference = ((own - other) / theirs).mean(axis=1)
        test = diebold_mariano(by_date(difference, self.dates, whole), self.steps[columns[-1]])
        skills = (1 - (error / their_error).mean(), 1 - (pinball / theirs).mean())
        return (self.reference, *map(_number, (*skills, test.statistic, test.p_value)))

    def _direction(self, places: list[int], columns: list[int]) -> float:
        """Share of origins whose median was on the right side, of those where there is a side."""
        right = self.own.direction[:, columns][..., places][self.own.known[:, columns]]
        return float(np.nanmean(right)) if np.isfinite(right).any() else math.nan

    def _mean(self, losses: np.ndarray, places: list[int], columns: list[int]) -> np.ndarray:
        """Mean of each price over origins, then over steps."""
        by_step = [losses[self.own.known[:, column], column][:, places].mean(axis=0) for column in columns]
        means: np.ndarray = np.mean(by_step, axis=0)
        return means


def _verdict(rows: list[Row], model: str, reference: str, period: str, sessions: int) -> Verdict:
    overall = _find(rows, model, "mean", "all")
    skill, p_value = overall.skill_pinball, overall.p_value
    code = "no-evidence"
    if skill is not None and p_value is not None and p_value < SIGNIFICANT:
        code = "skill" if skill > 0 else "worse"
    figures = f"{_percent(skill)} pinball skill over the {reference}, {_chance(p_value)}, on {period}"
    enough = dates_needed(overall.dm_statistic or math.nan, sessions)
    needed = f"; to see such a difference takes about {enough:,} sessions" if enough else ""
    subject = "Where prices go" if overall.coverage80 is None else "How far prices may move"
    sentence = {
        "skill": f"Skill: {figures}. {subject}, it knows better than the reference.",
        "no-evidence": f"No evidence of skill: {figures}. This test cannot tell it from the reference{needed}.",
        "worse": f"Worse than the reference: {figures}. Use the reference instead.",
    }[code]
    return Verdict(code, f"{sentence}{_direction(rows, model)}", reference, skill, p_value)


def _direction(rows: list[Row], model: str) -> str:
    """What the medians say about where the close goes, beside the last close carried forward."""
    echo = [row for row in rows if row.name == "last-close" and row.variable == "close" and row.step == "all"]
    own = _find(rows, model, "close", "all")
    if not echo or not echo[0].mae or own.mae is None:
        return ""
    gain = 1 - own.mae / echo[0].mae
    beside = f"its median close misses by {abs(gain):.2%} {'less' if gain > 0 else 'more'} than the last close does"
    return f" Where the close goes: {beside}."


def _find(rows: list[Row], name: str, variable: str, step: int | str) -> Row:
    return next(row for row in rows if (row.name, row.variable, row.step) == (name, variable, step))


def _percent(fraction: float | None) -> str:
    return "unknown" if fraction is None else f"{fraction:+.2%}"


def _chance(p_value: float | None) -> str:
    if p_value is None:
        return "too few dates for a test"
    return "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.2g}"


def _number(value: Any) -> float | None:
    """A float that JSON can hold, or None."""
    return None if value is None or not math.isfinite(value) else float(value)
