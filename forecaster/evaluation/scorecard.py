"""The scorecard: scores of a model and its baselines as one long table, and the verdict."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from forecaster.axes import Float
from forecaster.config.schema import VARIABLES
from forecaster.display import Displayable
from forecaster.evaluation.bands import Band, bands_in, bands_of
from forecaster.evaluation.daily import Daily, DailyScores, Origins
from forecaster.evaluation.rows import Measure, Row, number
from forecaster.evaluation.scores import Scores
from forecaster.evaluation.sentences import TITLES
from forecaster.evaluation.significance import Comparison, diebold_mariano
from forecaster.evaluation.verdict import Verdict, judge
from forecaster.evaluation.widths import COMPARED, width_measures
from forecaster.printable import MOST, quoted


@dataclass(frozen=True)
class Scorecard:
    """Scores of a forecast in a period, beside its baselines on the same origins.

    Args:
        rows: the model's come first.
        measures: how well ranges and volatility were forecast.
        notes: further remarks for the reader, one sentence each.
        bands: coverage of the model's bands of the close.
        looks: how many different models were tried on this test, this one included; the verdict's p-values are
            corrected for them, those in the rows are not.
        in_sample: last date that the weights were fitted to, if that lies in the test: then it is no test of them.
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
    notes: tuple[str, ...]
    bands: tuple[Band, ...] = ()
    looks: int = 1
    in_sample: str | None = None

    @property
    def model(self) -> str:
        """Name of the model that is judged."""
        return self.rows[0].name

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the rows, corrected for the looks."""
        return judge(self.rows, self.bands, self.reference, self.looks, self.sessions, self.horizon, self.in_sample)

    @property
    def hardest(self) -> str:
        """The simple formula that decides the verdict; the reference where none was scored."""
        return self.verdict.hardest.baseline if self.verdict.hardest else self.reference

    @property
    def brief(self) -> str:
        """The verdict's title and the extent of the test, for one line."""
        return f"{TITLES.get(self.verdict.code, self.verdict.code)}; {self.extent}"

    @property
    def extent(self) -> str:
        """What was tested: `502 sessions, 2011-03-02 to 2013-02-28; 5 tickers; 2,510 forecasts`."""
        tickers = f"{self.tickers} ticker{'' if self.tickers == 1 else 's'}"
        return f"{self.sessions:,} sessions, {self.first} to {self.last}; {tickers}; {self.origins:,} forecasts"

    def widths(self) -> tuple[Measure, ...]:
        """The model's measures compared with HAR, or with the reference where HAR was not scored."""
        own = [one for one in self.measures if one.name == self.model]
        by_har = {(one.quantity, one.step) for one in own if one.baseline == COMPARED}
        return tuple(one for one in own if one.baseline == COMPARED or (one.quantity, one.step) not in by_har)

    def with_looks(self, looks: int) -> Scorecard:
        """The same scorecard with another number of looks."""
        return replace(self, looks=looks)

    def by_weights(self, fitted_to: np.datetime64) -> Scorecard:
        """The same scorecard, of weights that were fitted up to a date.

        If the first origin is earlier, it is in-sample: then the model's margins are no test, and have no p-values.
        """
        if np.datetime64(self.first) >= fitted_to:
            return replace(self, in_sample=None)
        rows = (replace(one, dm_statistic=None, p_value=None) if one.name == self.model else one for one in self.rows)
        measures = (
            replace(one, dm_statistic=None, p_value=None) if one.name == self.model else one for one in self.measures
        )
        return replace(self, in_sample=str(fitted_to), rows=tuple(rows), measures=tuple(measures))

    def as_data(self) -> dict[str, Any]:
        """Values for JSON, where the rows are called `models`, as in every command's output."""
        data = self.stored() | {"verdict": self.verdict.as_data(), "test_period_looks": self.looks}
        return data

    def stored(self) -> dict[str, Any]:
        """Values for the model file: everything that does not depend on other models' looks."""
        data = {"models" if key == "rows" else key: value for key, value in asdict(self).items()}
        del data["looks"]
        return data

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Scorecard:
        """Reads what `stored` gave; model files of version 0.1 have no `bands`.

        Raises:
            ValueError, TypeError, KeyError: it is not a scorecard.
        """
        known = {field.name for field in fields(cls)} - {"looks"}
        rows = _checked(tuple[Row, ...], data["models"])
        if not rows or not data["horizon"]:
            raise ValueError("its scorecard is empty")
        values = {key: value for key, value in data.items() if key in known}
        parts = {
            "rows": rows,
            "measures": data.get("measures", ()),
            "notes": data.get("notes", ()),
            "bands": data["bands"] if "bands" in data else tuple(bands_in(rows)),
        }
        card: Scorecard = _checked(cls, values | parts)
        for day in (card.first, card.last, card.in_sample or card.last):
            dt.date.fromisoformat(day)
        return card


def _checked(kind: Any, values: Any) -> Any:
    """Values of the right types, whatever a file holds.

    Raises:
        ValueError: they are not.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part)[:MOST] for part in first["loc"])
        raise ValueError(f"its scorecard has {place} of the wrong type: {quoted(first['input'])}") from error


class Evaluated(Displayable):
    """Base of a result with a scorecard."""

    scorecard: Scorecard

    @property
    def verdict(self) -> Verdict:
        """The verdict of the test, corrected for the models tried on it."""
        return self.scorecard.verdict

    @property
    def looks(self) -> int:
        """Different models that were tried on its test, this one included."""
        return self.scorecard.looks


def make_scorecard(
    scores: Mapping[str, Scores],
    dates: np.ndarray,
    tickers: int,
    steps: tuple[int, ...],
    notes: Sequence[str] = (),
    measures: Sequence[Measure] = (),
) -> Scorecard:
    """Makes the scorecard; the first of `scores` is the model, the second the reference.

    Args:
        dates: date of each origin.
        tickers: how many tickers the origins belong to.
        measures: further ones, which cannot be computed from `scores`.
    """
    model, reference, *_ = scores
    origins = Origins(dates, scores[model].known, scores[model].scored)
    daily = {name: DailyScores(one, origins) for name, one in scores.items()}
    rows: list[Row] = []
    for name, own in daily.items():
        for other in (other for other in scores if other != model) if name == model else (reference,):
            kind, theirs = "model" if name == model else "baseline", None if name == other else daily[other]
            comparable = own.scores.has_bands or not any(one.has_bands for one in scores.values())
            rows.extend(_Pair(name, kind, own, other if theirs else None, theirs, steps, comparable).rows())
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
        notes=tuple(notes),
        bands=tuple(bands_of(daily[model], steps)),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """One forecaster's scores beside another's (None for the reference itself).

    Args:
        comparable: False for a point forecast among others with bands: it has no real quantiles, so a pinball loss
            would be unfair.
    """

    name: str
    kind: str
    own: DailyScores
    baseline: str | None
    other: DailyScores | None
    steps: tuple[int, ...]
    comparable: bool

    def rows(self) -> Iterator[Row]:
        # Slices keep the axes that means run over: one step is a table of one row.
        steps: dict[int | str, slice] = {step: slice(place, place + 1) for place, step in enumerate(self.steps)}
        for step, columns in (steps | {"all": slice(None)}).items():
            for place, variable in enumerate(VARIABLES):
                yield self._row(variable, slice(place, place + 1), step, columns)
            yield self._row("mean", slice(None), step, columns)

    def _row(self, variable: str, places: slice, step: int | str, columns: slice) -> Row:
        pinball, crps = (self.own.pinball.mean, self.own.crps) if self.comparable else (None, None)
        losses = (self.own.error.mean, pinball, crps)
        figures = [None if one is None else _mean(one[columns, places]) for one in (*losses, *self.own.coverage)]
        compared = self._compared(places, columns) if self.other else (None,) * 5
        numbers = map(number, (*figures, self._direction(places, columns)))
        return Row(self.name, self.kind, variable, step, *numbers, *compared)  # type: ignore[arg-type]

    def _compared(self, places: slice, columns: slice) -> tuple[Any, ...]:
        assert self.other is not None
        by_error = _gain(self.own.error, self.other.error, places, columns)
        if self._comparable_losses:
            gain = _gain(self.own.pinball, self.other.pinball, places, columns)
            test = self._test(self.own.pinball, self.other.pinball, places, columns)
        else:  # one has bands, one has none: compare the absolute errors of the medians
            gain, test = None, self._test(self.own.error, self.other.error, places, columns)
        return (self.baseline, *map(number, (by_error, gain, test.statistic, test.p_value)))

    @property
    def _comparable_losses(self) -> bool:
        """Whether both have bands, or neither."""
        assert self.other is not None
        return self.own.scores.has_bands == self.other.scores.has_bands

    def _test(self, own: Daily, other: Daily, places: slice, columns: slice) -> Comparison:
        """Tests the mean difference by date, each price in units of the other's mean loss, as in the mean skill."""
        # Each price by its own usual loss, or the open, which moves least, would hardly count.
        usual = other.mean[columns, places].mean(axis=0)
        real = np.isfinite(usual)
        if not real.any() or not (usual[real] > 0).all():
            return Comparison(math.nan, math.nan)
        mine, theirs = (_by_date(daily, columns)[:, places][:, real] for daily in (own, other))  # [date, price]
        difference = (mine - theirs) / usual[real]
        whole = np.isfinite(difference).any(axis=1)  # a date on which only coins trade has no open price that counts
        return diebold_mariano(np.nanmean(difference[whole], axis=1), self.steps[columns][-1])

    def _direction(self, places: slice, columns: slice) -> float:
        """Share of origins whose median was on the right side of the last close, of those where there is a side."""
        scores = self.own.scores
        right, sided = (int(count[columns, places].sum()) for count in (scores.right, scores.sided))
        return right / sided if sided else math.nan


def _by_date(daily: Daily, columns: slice) -> Float[np.ndarray, "date variable"]:
    return daily.whole if columns == slice(None) else daily.by_step[columns.start]


def _gain(own: Daily, other: Daily, places: slice, columns: slice) -> float:
    """Share by which the loss is lower, mean over the prices."""
    mine, theirs = (daily.mean[columns, places].mean(axis=0) for daily in (own, other))
    real = np.isfinite(theirs)
    return float((1 - mine[real] / theirs[real]).mean()) if real.any() and (theirs[real] > 0).all() else math.nan


def _mean(figures: Float[np.ndarray, "step variable"]) -> float:
    """Mean over steps and over the prices that are scored."""
    real = np.isfinite(figures)
    return float(figures[real].mean()) if real.any() else math.nan
