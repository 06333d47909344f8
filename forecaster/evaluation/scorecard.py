"""Scores of a model and its baselines → one long table and a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.rows import Measure, Row, number
from forecaster.evaluation.scores import Scores
from forecaster.evaluation.significance import by_date, diebold_mariano
from forecaster.evaluation.verdict import Verdict, make_verdict
from forecaster.evaluation.widths import width_measures


@dataclass(frozen=True)
class Scorecard:
    """How a forecast did in a period, beside its baselines on the same origins.

    Args:
        measures: how well ranges and volatility were forecast.
        notes: what the reader should know beside, a sentence each.
    """

    origins: int
    tickers: int
    sessions: int
    first: str
    last: str
    horizon: tuple[int, ...]
    reference: str
    rows: tuple[Row, ...]
    measures: tuple[Measure, ...]
    verdict: Verdict
    notes: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """As JSON has it: the rows are called models there, as in every command's output."""
        return {"models" if key == "rows" else key: value for key, value in asdict(self).items()}


def make_scorecard(
    scores: Mapping[str, Scores],
    dates: np.ndarray,
    tickers: int,
    steps: tuple[int, ...],
    notes: Sequence[str] = (),
    measures: Sequence[Measure] = (),
) -> Scorecard:
    """Make the table; the first of `scores` is the model, the second the reference.

    Args:
        dates: of each origin.
        tickers: how many the origins belong to.
        measures: those that scores cannot give.
    """
    model, reference, *_ = scores
    rows: list[Row] = []
    for name, own in scores.items():
        for other in (other for other in scores if other != model) if name == model else (reference,):
            kind, theirs = "model" if name == model else "baseline", None if name == other else scores[other]
            rows.extend(_Pair(name, kind, own, other if theirs else None, theirs, dates, steps).rows())
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
        measures=(*width_measures(scores, dates, steps), *measures),
        verdict=make_verdict(rows, model, reference, period, len(np.unique(dates))),
        notes=tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """One forecaster's scores beside another's (None for the reference itself)."""

    name: str
    kind: str
    own: Scores
    baseline: str | None
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
        return Row(self.name, self.kind, variable, step, *map(number, figures), *compared)  # type: ignore[arg-type]

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
        return (self.baseline, *map(number, (*skills, test.statistic, test.p_value)))

    def _direction(self, places: list[int], columns: list[int]) -> float:
        """Share of origins whose median was on the right side, of those where there is a side."""
        right = self.own.direction[:, columns][..., places][self.own.known[:, columns]]
        return float(np.nanmean(right)) if np.isfinite(right).any() else math.nan

    def _mean(self, losses: np.ndarray, places: list[int], columns: list[int]) -> np.ndarray:
        """Mean of each price over origins, then over steps."""
        by_step = [losses[self.own.known[:, column], column][:, places].mean(axis=0) for column in columns]
        means: np.ndarray = np.mean(by_step, axis=0)
        return means
