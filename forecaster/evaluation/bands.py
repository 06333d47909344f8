"""Coverage of the close's central bands in the test, nominal and actual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forecaster.data.coherence import CLOSE
from forecaster.evaluation.daily import DailyScores
from forecaster.evaluation.rows import Row, number
from forecaster.evaluation.scores import SHARES
from forecaster.evaluation.significance import standard_error

OFF = 2.0
"""A band is reported as off beyond this many standard errors."""


@dataclass(frozen=True)
class Band:
    """A central band of the close.

    Args:
        step: sessions ahead; `all` is the mean over the steps.
        band: nominal coverage, a fraction.
        held: actual coverage.
        error: standard error of `held`, allowing for overlapping days and tickers that move together; None if there are
            too few days.
    """

    step: int | str
    band: float
    held: float
    error: float | None
    variable: str = "close"

    @property
    def off(self) -> float:
        """Actual − nominal coverage in standard errors; 0 if the standard error is unknown."""
        return (self.held - self.band) / self.error if self.error else 0.0


def bands_of(daily: DailyScores, steps: tuple[int, ...]) -> Iterator[Band]:
    """Yields the bands of one forecaster at each step and over all steps; none for a point forecast."""
    origins = daily.origins
    for share, hits in zip(SHARES, daily.scores.inside, strict=True):
        if hits is None:
            continue
        shares = []
        for place, (step, chosen) in enumerate(zip(steps, origins.at, strict=True)):
            values = hits[chosen, place, CLOSE]
            shares.append(float(values.mean()))
            by_date = origins.by_date(values[:, None].astype(float), chosen)[:, 0]
            yield Band(step, share, shares[-1], number(standard_error(by_date, step)[0]))
        # Averaged within an origin first: its steps overlap and are no separate evidence.
        whole = hits[origins.whole][:, :, CLOSE].mean(axis=1)
        by_date = origins.by_date(whole[:, None], origins.whole)[:, 0]
        yield Band("all", share, sum(shares) / len(shares), number(standard_error(by_date, steps[-1])[0]))


def bands_in(rows: Sequence[Row]) -> Iterator[Band]:
    """The bands of the model from the rows of an older scorecard, without standard errors."""
    closes = {row.step: row for row in rows if (row.name, row.variable) == (rows[0].name, "close")}
    for share in SHARES:
        for step, row in closes.items():
            held: float | None = getattr(row, f"coverage{share:.0%}".removesuffix("%"))
            if held is not None:
                yield Band(step, share, held, None)


def off_bands(bands: Sequence[Band]) -> list[Band]:
    """Bands that are off by more than `OFF` standard errors, the worst first."""
    return sorted((one for one in bands if abs(one.off) > OFF), key=lambda one: -abs(one.off))
