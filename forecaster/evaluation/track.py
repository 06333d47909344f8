"""Track record of each run from its journal: in total, by ticker, month and step; and a verdict on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.baselines import FORMULAS
from forecaster.evaluation.entries import Entries
from forecaster.evaluation.margin import Margin, hardest
from forecaster.evaluation.outcomes import Outcomes, by_code
from forecaster.evaluation.rows import number
from forecaster.evaluation.scores import SHARES
from forecaster.evaluation.sentences import adjusted, chance
from forecaster.evaluation.significance import (
    FEWEST_DATES,
    SIGNIFICANT,
    Comparison,
    dates_needed,
    diebold_mariano,
)

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


@dataclass(frozen=True)
class TrackVerdict:
    """Verdict on a run's live forecasts: `skill`, `no-evidence`, `worse` or `too-few`.

    Args:
        more_dates: how many more dates of forecasts are needed for a test, or to confirm such a difference.
    """

    run: str
    code: str
    text: str
    more_dates: int | None


def track(found: Outcomes) -> list[TrackRow]:
    """Makes the rows of every run, live ones first."""
    entries, rows = found.entries, list[TrackRow]()
    live, codes = entries.live[found.cells], entries.run.codes[found.cells]
    for made in (True, False):
        chosen = np.flatnonzero(live == made)
        runs = {entries.run.texts[code]: chosen[inner] for code, inner in by_code(codes[chosen])}
        for run, own in sorted(runs.items()):
            cells = _Cells(found, own)
            rows.extend(cells.row(run, made, by, of, inner) for by in GROUPS for of, inner in cells.groups(by))
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
    def losses(self) -> Float[np.ndarray, "cell forecaster variable"]:
        return self.found.losses[self.own]

    @cached_property
    def errors(self) -> Float[np.ndarray, "cell 2 variable"]:
        return self.found.errors[self.own]

    @cached_property
    def inside(self) -> Float[np.ndarray, "cell share"]:
        return self.found.inside[self.own]

    @cached_property
    def origins(self) -> Shaped[np.ndarray, " cell"]:
        return self.entries.origin.days()

    @cached_property
    def forecast(self) -> Int[np.ndarray, " cell"]:
        """A number for each ticker and origin."""
        return Entries.key(self.entries.ticker, self.entries.origin)

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

    def groups(self, by: str) -> Iterator[tuple[str, Int[np.ndarray, " cell"]]]:
        """Names and cells of the groups, in the order of their names."""
        if by == "all":
            yield by, np.arange(len(self.own))
        elif by == "ticker":
            codes = by_code(self.entries.ticker.codes)
            yield from sorted((self.entries.ticker.texts[code], inner) for code, inner in codes)
        elif by == "month":
            months = self.found.dates[self.own].astype("datetime64[M]").astype(np.int64)
            yield from ((str(np.datetime64(code, "M")), inner) for code, inner in by_code(months))
        else:
            yield from ((str(code), inner) for code, inner in by_code(self.entries.step))

    def row(self, run: str, live: bool, by: str, of: str, chosen: Int[np.ndarray, " cell"]) -> TrackRow:
        steps = self.entries.step[chosen]
        own, *formulas = _mean_by_step(self.losses[chosen], steps)
        error, echo = _mean_by_step(self.errors[chosen], steps)
        tested = chosen[self.whole[chosen]]
        tests = self._tests(tested)
        margins = [
            Margin(name, number(_gain(own, other)), number(test.statistic), number(test.p_value))
            for name, other, test in zip(FORMULAS, formulas, tests, strict=True)
        ]
        bands = [number(_mean(self.inside[chosen, place])) for place in range(len(SHARES))]
        # The first formula is the reference of every scorecard.
        over, decides = margins[0], hardest(margins)
        return TrackRow(
            run=run,
            made=LIVE if live else HINDSIGHT,
            by=by,
            of=of,
            forecasts=len(np.unique(self.forecast[chosen])),
            dates=len(np.unique(self.origins[tested])),
            sessions=len(chosen),
            moved=int(self.moved[chosen].sum()),
            pinball=number(own.mean()),
            coverage50=bands[0],
            coverage80=bands[1],
            coverage90=bands[2],
            skill_pinball=over.skill_pinball,
            skill_last_close=number(_gain(error, echo)),
            dm_statistic=over.dm_statistic,
            p_value=over.p_value,
            hardest=decides.baseline,
            skill_hardest=decides.skill_pinball,
            dm_hardest=decides.dm_statistic,
            p_hardest=decides.p_value,
        )

    def _tests(self, chosen: Int[np.ndarray, " cell"]) -> list[Comparison]:
        """Diebold–Mariano tests with each formula, on means by origin date; each price and step weighs the same."""
        if not len(chosen):
            return [Comparison(math.nan, math.nan)] * len(FORMULAS)
        steps, losses = self.entries.step[chosen], self.losses[chosen]
        # Losses grow with the step and differ by price: divide each by the formula's mean loss there.
        found, place = np.unique(steps, return_inverse=True)
        usual = np.stack([np.maximum(losses[place == at].mean(axis=0), 1e-12) for at in range(len(found))])
        _, days = np.unique(self.origins[chosen], return_inverse=True)
        counts = np.bincount(days)
        tests = []
        for formula in range(1, losses.shape[1]):
            difference = ((losses[:, 0] - losses[:, formula]) / usual[place, formula]).mean(axis=1)
            tests.append(diebold_mariano(np.bincount(days, difference) / counts, int(steps.max())))
        return tests


def judge(row: TrackRow, runs: int = 1) -> TrackVerdict:
    """Judges all live forecasts of a run: like a test's verdict, it requires that every simple formula is beaten.

    Args:
        runs: number of runs with a live record, by which p is multiplied (Bonferroni).
    """
    if row.dates < FEWEST_DATES or row.p_value is None or row.skill_hardest is None:
        more = max(FEWEST_DATES - row.dates, 1)
        count = f"whole forecasts from {_days(row.dates)} are compared with actual prices, the least is {FEWEST_DATES}"
        return TrackVerdict(row.run, "too-few", f"Too few to judge {row.run}: {count}: {more} more.", more)
    way = "better" if row.skill_hardest > 0 else "worse"
    # As in a test's verdict: skill must beat every formula, which needs no correction, but `worse` picks one of them.
    p_value = adjusted(row.p_hardest, runs if row.skill_hardest > 0 else len(FORMULAS) * runs)
    share = f", corrected for {runs} runs" if runs > 1 else ""
    figures = f"ranges {abs(row.skill_hardest):.2%} {way} than {row.hardest}, {chance(p_value)}{share}"
    where = f"in {row.forecasts:,} live forecasts from {_days(row.dates)}"
    if p_value is not None and p_value < SIGNIFICANT:
        code, word = ("skill", "Skill") if row.skill_hardest > 0 else ("worse", "Worse than a simple formula")
        return TrackVerdict(row.run, code, f"{word}: {row.run} has {figures}, {where}.", None)
    ahead = row.dm_hardest if row.skill_hardest > 0 and row.dm_hardest is not None else math.nan
    needed = dates_needed(ahead, row.dates, runs)
    more_dates = None if needed is None else max(needed - row.dates, 1)
    takes = f"; you would need about {more_dates:,} more days to confirm this" if more_dates else ""
    text = f"No evidence of skill: {row.run} has {figures}, {where}{takes}."
    return TrackVerdict(row.run, "no-evidence", text, more_dates)


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"


def _gain(own: Float[np.ndarray, " variable"], other: Float[np.ndarray, " variable"]) -> float:
    """Share by which the loss is lower, mean over the prices."""
    return float((1 - own / np.maximum(other, 1e-12)).mean())


def _mean_by_step(losses: Float[np.ndarray, "cell forecaster variable"], steps: Int[np.ndarray, " cell"]) -> np.ndarray:
    """Mean over the cells of each step, then over steps: [forecaster, variable]."""
    means: np.ndarray = np.mean([losses[inner].mean(axis=0) for _, inner in by_code(steps)], axis=0)
    return means


def _mean(values: Float[np.ndarray, " cell"]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
