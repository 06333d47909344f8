"""Scores of a model and its baselines → one long table and a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.config.schema import VARIABLES
from forecaster.evaluation.rows import Measure, Row, number
from forecaster.evaluation.scores import SHARES, Scores
from forecaster.evaluation.significance import by_date, diebold_mariano
from forecaster.evaluation.verdict import Verdict, make_verdict
from forecaster.evaluation.widths import width_measures

_FIGURES = ("mae", "pinball", *(f"coverage{share:.0%}" for share in SHARES))


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
        steps: dict[int | str, slice] = {step: slice(place, place + 1) for place, step in enumerate(self.steps)}
        for step, columns in (steps | {"all": slice(None)}).items():
            for place, variable in enumerate(VARIABLES):
                yield self._row(variable, slice(place, place + 1), step, columns)
            yield self._row("mean", slice(None), step, columns)

    def _row(self, variable: str, places: slice, step: int | str, columns: slice) -> Row:
        own = {name: means[columns, places].mean(axis=0) for name, means in self._means.items()}
        names = (*_FIGURES[:2], "crps", *_FIGURES[2:])
        figures = [own[name].mean() if name in own else None for name in names]
        compared = self._compared(own["pinball"], own["mae"], places, columns) if self.other else (None,) * 5
        told = map(number, (*figures, self._direction(places, columns)))
        return Row(self.name, self.kind, variable, step, *told, *compared)  # type: ignore[arg-type]

    def _compared(self, pinball: np.ndarray, error: np.ndarray, places: slice, columns: slice) -> tuple[Any, ...]:
        assert self.other is not None
        theirs, their_error = (_divisor(means[columns, places].mean(axis=0)) for means in self._their_means)
        whole = np.asarray(self.own.known[:, columns].all(axis=1))
        own, other = (scores.pinball[:, columns, places] for scores in (self.own, self.other))
        # Each price weighs the same, as in the mean of the four skills.
        difference = ((own - other).mean(axis=1, dtype=np.float64) / theirs).mean(axis=1)
        skills = (1 - (error / their_error).mean(), 1 - (pinball / theirs).mean())
        test = diebold_mariano(by_date(difference, self.dates, whole), self.steps[columns][-1])
        return (self.baseline, *map(number, (*skills, test.statistic, test.p_value)))

    def _direction(self, places: slice, columns: slice) -> float:
        """Share of origins whose median was on the right side, of those where there is a side."""
        right, sided = (int(count[columns, places].sum()) for count in (self.own.right, self.own.sided))
        return right / sided if sided else math.nan

    @cached_property
    def _means(self) -> dict[str, Float[np.ndarray, "horizon variable"]]:
        crps = self.own.crps / np.maximum(self.own.known.sum(axis=0), 1)[:, None]
        losses = dict(zip(_FIGURES, (self.own.error, self.own.pinball, *self.own.inside), strict=True))
        return {name: self._by_step(values) for name, values in losses.items() if values is not None} | {"crps": crps}

    @cached_property
    def _their_means(self) -> tuple[Float[np.ndarray, "horizon variable"], Float[np.ndarray, "horizon variable"]]:
        assert self.other is not None
        return self._by_step(self.other.pinball), self._by_step(self.other.error)

    def _by_step(self, losses: Shaped[np.ndarray, "origin horizon variable"]) -> Float[np.ndarray, "horizon variable"]:
        """Mean over the origins whose outcome at the step is known."""
        known = self.own.known.T
        return np.stack([losses[mask, column].mean(axis=0, dtype=np.float64) for column, mask in enumerate(known)])


def _divisor(losses: Float[np.ndarray, " variable"]) -> Float[np.ndarray, " variable"]:
    """Losses to be divided by: NaN where a price never moved and they are 0, for then there is no skill to speak of."""
    return np.where(losses > 0, losses, np.nan)
