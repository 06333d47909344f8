"""Track record of each run from its journal: in total, by ticker, month and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Bool, Float, Int
from forecaster.baselines import FORMULAS
from forecaster.evaluation.entries import Entries
from forecaster.evaluation.groups import LEAST, Groups
from forecaster.evaluation.margin import Margin, hardest
from forecaster.evaluation.outcomes import Outcomes, by_code
from forecaster.evaluation.rows import number

LIVE, HINDSIGHT = "live", "hindsight"
GROUPS = ("all", "ticker", "month", "step")


@dataclass(frozen=True)
class TrackRow:
    """Scores of one group of a run's forecasts.

    Pinball is 2 × the mean over levels, of log(price / last close); skills and coverages are fractions, means over
    the four prices; p is two-sided. Figures that do not exist are None.

    Args:
        made: `live`, before the day was over; or `hindsight`, with --as-of or afterwards.
        by: `all`, `ticker`, `month` (of the session) or `step`; `of` is which one.
        forecasts: number of (ticker, origin) pairs.
        dates: number of origin dates whose sessions have all taken place.
        moved: sessions that took place on another day than predicted.
        skill_pinball: over the EWMA random walk; `skill_last_close` compares the errors of the medians.
        hardest: the simple formula that decides, as in a verdict; `skill_hardest` and `p_hardest` refer to it.
    """

    run: str
    made: str
    by: str
    of: str
    forecasts: int
    dates: int
    sessions: int
    moved: int
    pinball: float | None
    coverage50: float | None
    coverage80: float | None
    coverage90: float | None
    skill_pinball: float | None
    skill_last_close: float | None
    dm_statistic: float | None
    p_value: float | None
    hardest: str
    skill_hardest: float | None
    dm_hardest: float | None
    p_hardest: float | None


def track(found: Outcomes) -> list[TrackRow]:
    """Makes the rows of every run, live ones first."""
    entries, rows = found.entries, list[TrackRow]()
    live, codes = entries.live[found.cells], entries.run.codes[found.cells]
    for made in (True, False):
        chosen = np.flatnonzero(live == made)
        runs = {entries.run.texts[code]: chosen[inner] for code, inner in by_code(codes[chosen])}
        for run, own in sorted(runs.items()):
            cells = _Cells(found, own)
            rows.extend(row for by in GROUPS for row in cells.rows(run, made, by))
    return rows


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells of one run; a cell is one ticker, origin and step.

    Args:
        own: their places among all cells.
    """

    found: Outcomes
    own: Int[np.ndarray, " cell"]

    @cached_property
    def entries(self) -> Entries:
        return self.found.entries.take(self.found.cells[self.own])

    @cached_property
    def losses(self) -> Float[np.ndarray, "forecaster variable cell"]:
        return self.found.losses[..., self.own]

    @cached_property
    def errors(self) -> Float[np.ndarray, "2 variable cell"]:
        return self.found.errors[..., self.own]

    @cached_property
    def inside(self) -> Float[np.ndarray, "share cell"]:
        return self.found.inside[:, self.own]

    @cached_property
    def origins(self) -> Int[np.ndarray, " cell"]:
        """A number for each date, in their order."""
        return np.unique(self.entries.origin.days(), return_inverse=True)[1]

    @cached_property
    def forecast(self) -> Int[np.ndarray, " cell"]:
        """A number for each ticker and origin."""
        return np.unique(Entries.key(self.entries.ticker, self.entries.origin), return_inverse=True)[1]

    @cached_property
    def whole(self) -> Bool[np.ndarray, " cell"]:
        """Whether all sessions of the forecast have taken place: partial forecasts are not comparable."""
        entries = self.found.entries
        names = Entries.key(entries.run, entries.ticker, entries.origin) * 2 + entries.live
        lacking = np.unique(names[self.found.reasons > 0])
        return ~np.isin(names[self.found.cells[self.own]], lacking)

    @cached_property
    def moved(self) -> Bool[np.ndarray, " cell"]:
        moved: np.ndarray = self.found.dates[self.own] != self.entries.date.days()
        return moved

    def groups(self, by: str) -> tuple[list[str], Int[np.ndarray, " cell"]]:
        """Names of the groups, in their order, and the group of each cell."""
        if by == "all":
            return [by], np.zeros(len(self.own), np.int64)
        if by == "ticker":
            present, codes = np.unique(self.entries.ticker.ranks(), return_inverse=True)
            names = sorted(self.entries.ticker.texts)
            return [names[rank] for rank in present.tolist()], codes
        values = self.found.dates[self.own].astype("datetime64[M]") if by == "month" else self.entries.step
        present, codes = np.unique(values, return_inverse=True)
        return [str(one) for one in present], codes

    def rows(self, run: str, live: bool, by: str) -> Iterator[TrackRow]:
        names, codes = self.groups(by)
        groups = Groups(codes, self.entries.step, len(names))
        tested = Groups(codes[self.whole], self.entries.step[self.whole], len(names))
        losses, errors = groups.mean_by_step(self.losses), groups.mean_by_step(self.errors)
        tests = tested.compare(self.losses[..., self.whole], self.origins[self.whole])
        inside = groups.mean(self.inside)
        counts = {
            "forecasts": groups.distinct(self.forecast),
            "dates": tested.distinct(self.origins[self.whole]),
            "sessions": groups.counts,
            "moved": np.bincount(codes, self.moved, len(names)).astype(int),
        }
        for at, of in enumerate(names):
            margins = [
                Margin(name, number(_gain(losses[0, :, at], loss)), number(test.statistic), number(test.p_value))
                for name, loss, test in zip(FORMULAS, losses[1:, :, at], tests[at], strict=True)
            ]
            bands = [number(share) for share in inside[:, at]]
            # The first formula is the reference of every scorecard.
            over, decides = margins[0], hardest(margins)
            yield TrackRow(
                run=run,
                made=LIVE if live else HINDSIGHT,
                by=by,
                of=of,
                **{name: int(count[at]) for name, count in counts.items()},
                pinball=number(losses[0, :, at].mean()),
                coverage50=bands[0],
                coverage80=bands[1],
                coverage90=bands[2],
                skill_pinball=over.skill_pinball,
                skill_last_close=number(_gain(errors[0, :, at], errors[1, :, at])),
                dm_statistic=over.dm_statistic,
                p_value=over.p_value,
                hardest=decides.baseline,
                skill_hardest=decides.skill_pinball,
                dm_hardest=decides.dm_statistic,
                p_hardest=decides.p_value,
            )


def _gain(own: Float[np.ndarray, " variable"], other: Float[np.ndarray, " variable"]) -> float:
    """Share by which the loss is lower, mean over the prices."""
    return float((1 - own / np.maximum(other, LEAST)).mean())
