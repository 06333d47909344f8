"""Track record of each run from its journal: in total, by ticker, month and step; and a verdict on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.baselines import FORMULAS
from forecaster.evaluation import metrics
from forecaster.evaluation.margin import Margin, hardest
from forecaster.evaluation.outcomes import Outcome
from forecaster.evaluation.rows import number
from forecaster.evaluation.scores import SHARES
from forecaster.evaluation.sentences import adjusted, chance
from forecaster.evaluation.significance import (
    FEWEST_DATES,
    SIGNIFICANT,
    Comparison,
    by_date,
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


def track(outcomes: Sequence[Outcome], open_forecasts: frozenset[tuple[str, str, str, bool]]) -> list[TrackRow]:
    """Makes the rows of every run, live ones first.

    Args:
        open_forecasts: (run, ticker, origin, live) of forecasts with a session still to come.
    """
    rows: list[TrackRow] = []
    for live in (True, False):
        for run in sorted({one.entry.run for one in outcomes if one.entry.live == live}):
            own = [one for one in outcomes if (one.entry.run, one.entry.live) == (run, live)]
            cells = _Cells(own, open_forecasts)
            rows.extend(cells.row(run, live, by, of, chosen) for by in GROUPS for of, chosen in cells.groups(by))
    return rows


@dataclass(frozen=True, eq=False)
class _Cells:
    """The outcomes of one run; a cell is one ticker, origin and step."""

    outcomes: Sequence[Outcome]
    open_forecasts: frozenset[tuple[str, str, str, bool]]

    @cached_property
    def keys(self) -> dict[str, Shaped[np.ndarray, " cell"]]:
        return {
            "all": np.array(["all"] * len(self.outcomes)),
            "ticker": np.array([one.entry.ticker for one in self.outcomes]),
            "month": np.array([str(one.date)[:7] for one in self.outcomes]),
            "step": np.array([one.entry.step for one in self.outcomes]),
            "origin": np.array([one.entry.origin for one in self.outcomes]),
        }

    @cached_property
    def whole(self) -> Bool[np.ndarray, " cell"]:
        """Whether all sessions of the forecast have taken place: partial forecasts are not comparable."""
        names = ((one.entry.run, one.entry.ticker, one.entry.origin, one.entry.live) for one in self.outcomes)
        return np.array([name not in self.open_forecasts for name in names], bool)

    @cached_property
    def moved(self) -> Bool[np.ndarray, " cell"]:
        return np.array([str(one.date) != one.entry.date for one in self.outcomes], bool)

    @cached_property
    def losses(self) -> Float[np.ndarray, "cell forecaster variable"]:
        """Pinball of the run, then of each simple formula."""
        return np.stack([_losses(one) for one in self.outcomes])

    @cached_property
    def errors(self) -> Float[np.ndarray, "cell 2 variable"]:
        """Absolute error of the run's median, and of the last close carried forward."""
        return np.stack([_errors(one) for one in self.outcomes])

    @cached_property
    def inside(self) -> Float[np.ndarray, "cell share"]:
        """Share of the four prices in each band; NaN where there is no such band."""
        return np.stack([_inside(one) for one in self.outcomes])

    def groups(self, by: str) -> Iterator[tuple[str, Bool[np.ndarray, " cell"]]]:
        for key in np.unique(self.keys[by]):
            yield str(key), self.keys[by] == key

    def row(self, run: str, live: bool, by: str, of: str, chosen: Bool[np.ndarray, " cell"]) -> TrackRow:
        pairs = {
            (self.outcomes[place].entry.ticker, self.outcomes[place].entry.origin)
            for place in np.flatnonzero(chosen).tolist()
        }
        steps = self.keys["step"][chosen]
        own, *formulas = _mean_by_step(self.losses[chosen], steps)
        error, echo = _mean_by_step(self.errors[chosen], steps)
        dates = self.keys["origin"][chosen & self.whole]
        tests = [self._test(chosen & self.whole, place) for place in range(1, len(formulas) + 1)]
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
            forecasts=len(pairs),
            dates=len(np.unique(dates)),
            sessions=int(chosen.sum()),
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

    def _test(self, chosen: Bool[np.ndarray, " cell"], formula: int) -> Comparison:
        """Diebold–Mariano test on means by origin date, with equal weight for each price and step."""
        if not chosen.any():
            return Comparison(math.nan, math.nan)
        steps, losses = self.keys["step"][chosen], self.losses[chosen]
        # Losses grow with the step and differ by price: divide each by the formula's mean loss there.
        usual = np.ones((int(steps.max()) + 1, losses.shape[-1]))
        for step in np.unique(steps):
            usual[step] = np.maximum(losses[steps == step, formula].mean(axis=0), 1e-12)
        difference = ((losses[:, 0] - losses[:, formula]) / usual[steps]).mean(axis=1)
        daily = by_date(difference, self.keys["origin"][chosen], np.ones(len(steps), bool))
        return diebold_mariano(daily, int(steps.max()))


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


def _losses(one: Outcome) -> Float[np.ndarray, "forecaster variable"]:
    # [forecaster, 1, variable, quantile]: the metrics expect axes for origin and step.
    predicted = np.concatenate([one.entry.quantiles[None], one.formulas])[:, None]
    actual = np.broadcast_to(one.moves, (len(predicted), 1, len(one.moves)))
    return metrics.pinball(predicted, actual, one.entry.levels)[:, 0]


def _errors(one: Outcome) -> Float[np.ndarray, "2 variable"]:
    median = one.entry.quantiles[:, one.entry.levels.index(0.5)]
    return np.abs(np.stack([one.moves - median, one.moves]))


def _gain(own: Float[np.ndarray, " variable"], other: Float[np.ndarray, " variable"]) -> float:
    """Share by which the loss is lower, mean over the prices."""
    return float((1 - own / np.maximum(other, 1e-12)).mean())


def _inside(one: Outcome) -> Float[np.ndarray, " share"]:
    predicted, actual = one.entry.quantiles[None, None], one.moves[None, None]
    hits = (metrics.inside(predicted, actual, one.entry.levels, share) for share in SHARES)
    return np.array([math.nan if hit is None else float(hit.mean()) for hit in hits])


def _mean_by_step(losses: Float[np.ndarray, "cell forecaster variable"], steps: Int[np.ndarray, " cell"]) -> np.ndarray:
    """Mean over the cells of each step, then over steps: [forecaster, variable]."""
    means: np.ndarray = np.mean([losses[steps == step].mean(axis=0) for step in np.unique(steps)], axis=0)
    return means


def _mean(values: Float[np.ndarray, " cell"]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
