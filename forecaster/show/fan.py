"""What a picture of a forecast shows, in any format: x in sessions with the origin at 0, y in prices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import VARIABLES
from forecaster.inference.forecast import Forecast
from forecaster.show.held import beside, held_at, held_text
from forecaster.show.scale import nice_ticks
from forecaster.show.words import price_text, shortened

LOW, HIGH, CLOSE = (VARIABLES.index(name) for name in ("low", "high", "close"))
MOST = 66
"""Candles of the past: three months."""

PATHS = 50
"""Paths drawn: more would merge into a grey area."""

MARKS = ("rose", "fell", "median candle")
"""A hollow candle, a filled one, and one ahead, in a legend."""


@dataclass(frozen=True)
class Band:
    """Where a share of the closes is expected, from the origin on.

    Args:
        held: its coverage in the run's test, in words; empty if not measured.
    """

    share: float
    lower: list[float]
    upper: list[float]
    held: str = ""

    @property
    def words(self) -> str:
        return f"{self.share:.0%} of closes"


@dataclass(frozen=True)
class Fan:
    """One picture.

    Args:
        past: number of past sessions shown, the last of them the origin.
        xs: 0 and the steps, for bands, median and reach: step 20 is drawn at session 20 even if 6 to 19 are missing.
        bands: the widest first.
        reach: the range of the candles: from a low quantile of the lows to a high quantile of the highs.
        months: first sessions of months, as x and label.
        paths: closes of candle paths from the origin on, few enough to be told apart.
    """

    forecast: Forecast
    past: int
    xs: list[float]
    bands: list[Band]
    median: list[float]
    reach: Band | None
    months: list[tuple[int, str]]
    paths: list[list[float]]

    @property
    def candles(self) -> Float[np.ndarray, "time 4"]:
        return self.forecast.history.ohlc[-self.past :]

    @property
    def first(self) -> int:
        """x of the first candle."""
        return 1 - self.past

    @property
    def last(self) -> int:
        return self.forecast.steps[-1]

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest price drawn, with a margin of 3%."""
        lines = [one for band in (*self.bands, self.reach) if band for one in (band.lower, band.upper)] + self.paths
        prices = [*self.candles.ravel().tolist(), *self.forecast.point.ravel().tolist(), *chain.from_iterable(lines)]
        # If all prices are equal, a share of the price itself.
        margin = 0.03 * (max(prices) - min(prices) or max(prices))
        return min(prices) - margin, max(prices) + margin

    @property
    def title(self) -> str:
        one = self.forecast
        return f"{one.ticker}: {self.price(one.last_close)} {one.currency} on {one.origin}"

    def title_within(self, letters: int) -> str:
        """The answer if it fits, else the title, with its ticker shortened if necessary."""
        ticker, title, said = self.forecast.ticker, self.title, self.answer(";")
        if len(said) <= letters:
            return said
        return shortened(ticker, max(2, letters - len(title) + len(ticker))) + title.removeprefix(ticker)

    def answer(self, arrow: str = " →") -> str:
        """The last day in one line: `AAPL 430.47 → by 8 March 408.70–454.85, median 431.35`.

        Args:
            arrow: a replacement, because the font of PNG files has no arrow.
        """
        close, *outcome = self.answer_parts
        return f"{close}{arrow} {' '.join(outcome)}"

    @property
    def answer_parts(self) -> list[str]:
        """The part before the arrow, then the parts that must not be broken across lines."""
        one, band = self.forecast, self.main
        ends = [f"{self.price(band.lower[-1])}–{self.price(band.upper[-1])},"] if band else []
        by, median = f"by {day_text(one.dates[-1], one.origin)}", f"median {self.price(self.median[-1])}"
        return [f"{one.ticker} {self.price(one.last_close)}", by, *ends, median]

    @property
    def terms(self) -> str:
        """Explains the figures of the answer."""
        one, band = self.forecast, self.main
        at = f"{one.currency}, after the close of {day_text(one.origin)}, by {self.maker}."
        if not band:
            return f"{at} This run forecasts medians alone: it claims no range."
        held = held_at(one, band.share, one.steps[-1])
        test = "" if held is None else f"; in the test it held {held:.0%}"
        return f"{at} The range is for {band.words}{test}."

    @property
    def maker(self) -> str:
        """Who forecasts: the run, or a formula where it does not know the market."""
        one = self.forecast
        return f"run {one.run}" if one.weights in ("evaluated", "production") else f"{one.weights}, fitted to it alone"

    @property
    def main(self) -> Band | None:
        """The band that is labelled: the one nearest to 80%."""
        return min(self.bands, key=lambda band: abs(band.share - 0.8), default=None)

    @property
    def paths_words(self) -> str:
        """How many paths are drawn, and of how many."""
        there = 0 if self.forecast.paths is None else len(self.forecast.paths)
        drawn = len(self.paths)
        return (
            f"{drawn} of {there:,} paths of closes" if drawn < there else f"{there} path{'s' * (there != 1)} of closes"
        )

    @property
    def caveat(self) -> str:
        """Verdict and disclaimer, in one line."""
        return f"{self.forecast.skill['verdict']} Not investment advice."

    @property
    def reach_words(self) -> str:
        """The range of the candles, in words: `9 of 10 highs below, 9 of 10 lows above`."""
        assert self.reach
        # 0.9 as a float is 8106479329266893 / 9007199254740992; the nearest simple fraction is 9 / 10.
        part = Fraction((1 + self.reach.share) / 2).limit_denominator(1000)
        share = f"{part.numerator} of {part.denominator}"
        return f"{share} highs below, {share} lows above"

    @property
    def band_words(self) -> list[str]:
        """For a legend: `90%; held 88%`, `80%; held 76%`, `50% of closes; held 46% in the test`."""
        first = [beside(f"{one.share:.0%}", one.held) for one in self.bands[:-1]]
        return first + [beside(one.words, f"{one.held} in the test" if one.held else "") for one in self.bands[-1:]]

    def ticks(self, most: int) -> list[float]:
        """Round prices for the grid."""
        return nice_ticks(*self.bounds, most)

    def price(self, price: float) -> str:
        return price_text(price, self.forecast.last_close)

    def held_text(self, band: Band, step: int) -> str:
        """A band's coverage in the test at a step, in brackets."""
        held = held_at(self.forecast, band.share, step)
        return "" if held is None else f" (held {held:.0%} in the test)"

    def reach_text(self, band: Band, place: int = -1) -> str:
        return f"{self.price(band.lower[place])} to {self.price(band.upper[place])}"


def fan_of(forecast: Forecast, most: int = MOST, paths: int = PATHS) -> Fan:
    """The last months and the forecast.

    Args:
        most: candles of the past.
        paths: how many to draw: the first ones, as they are independent draws.
    """
    past = min(len(forecast.history.dates), most)
    pairs = _pairs(forecast.levels)
    bands = [_band(forecast, pair, CLOSE, CLOSE) for pair in pairs]
    named = min(pairs, key=lambda pair: abs(forecast.levels[pair[1]] - 0.9), default=None)
    return Fan(
        forecast,
        past,
        [0.0, *map(float, forecast.steps)],
        bands,
        [forecast.last_close, *forecast.point[:, CLOSE].tolist()],
        _band(forecast, named, LOW, HIGH) if named else None,
        _months(forecast, past),
        []
        if forecast.paths is None
        else [[forecast.last_close, *one] for one in forecast.paths[:paths, :, CLOSE].tolist()],
    )


def day_text(day: np.datetime64, like: np.datetime64 | None = None) -> str:
    """`8 March`, with its year unless another day has the same."""
    date = day.astype("datetime64[D]").item()
    year = f" {date.year}" if like is None or str(like)[:4] != str(date)[:4] else ""
    return f"{date.day} {date:%B}{year}"


def _pairs(levels: Sequence[float]) -> list[tuple[int, int]]:
    """Indices of levels symmetric about the median, the outermost pair first."""
    places = range(len(levels))
    return [
        (low, high) for low in places for high in places if low < high and math.isclose(levels[low], 1 - levels[high])
    ]


def _band(forecast: Forecast, pair: tuple[int, int], lower: int, upper: int) -> Band:
    low, high = pair
    # 0.95 − 0.05 is 0.8999999999999999.
    share = round(forecast.levels[high] - forecast.levels[low], 6)
    return Band(
        share,
        [forecast.last_close, *forecast.prices[:, lower, low].tolist()],
        [forecast.last_close, *forecast.prices[:, upper, high].tolist()],
        held_text(forecast, share, where="") if lower == upper == CLOSE else "",
    )


def _months(forecast: Forecast, past: int) -> list[tuple[int, str]]:
    """`Feb`; the first label and each January have the year."""
    dates = np.concatenate([forecast.history.dates[-past:], forecast.dates]).astype("datetime64[D]")
    xs = [*range(1 - past, 1), *forecast.steps]
    months = dates.astype("datetime64[M]")
    found: list[tuple[int, str]] = []
    for place in np.flatnonzero(months[1:] != months[:-1]) + 1:
        if xs[place] - xs[place - 1] > 1:
            continue  # the first session of a month is unknown between steps that are apart
        date = dates[place].item()
        found.append((xs[place], f"{date:%b %Y}" if not found or date.month == 1 else f"{date:%b}"))
    return found
