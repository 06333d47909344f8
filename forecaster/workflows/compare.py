"""Compares runs: differences in config and data, and scores on the test origins that they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.data.store import Store, open_store
from forecaster.errors import InputError, at_most_five
from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.rows import number
from forecaster.evaluation.scores import score
from forecaster.evaluation.significance import by_date, diebold_mariano
from forecaster.events import Say
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import tuned_allocator
from forecaster.runs import folder as folders
from forecaster.runs.differences import Difference, differences_of
from forecaster.runs.run import Run, RunCandles


@dataclass(frozen=True)
class Compared:
    """A run's score on the shared origins, beside the first run's.

    Args:
        loss: on log(price / last close), mean over prices, steps and origins.
        gain: share by which the loss is lower than the first run's, mean over the four prices; None for the first.
        p_value: two-sided, of a Diebold–Mariano test on means by date.
    """

    run: str
    loss: float
    gain: float | None
    dm_statistic: float | None
    p_value: float | None


@dataclass(frozen=True)
class Comparison:
    """Differences between runs.

    Args:
        metric: `pinball`, or `mae` of the median if the runs have different quantile levels.
        steps: sessions ahead that all runs forecast.
        scores: empty if the runs share no test origin.
        looks: different models that were tried on the shared test, these included; 0 if there is none.
        notes: further remarks for the reader, a sentence each.
    """

    runs: tuple[str, ...]
    differences: tuple[Difference, ...]
    metric: str
    steps: tuple[int, ...]
    origins: int
    dates: int
    first: str | None
    last: str | None
    scores: tuple[Compared, ...]
    verdict: str
    looks: int
    notes: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        data = asdict(self)
        data["differences"] = [
            {"kind": one.kind, "key": one.key} | dict(zip(self.runs, one.values, strict=True))
            for one in self.differences
        ]
        return data


@tuned_allocator()
@large_arrays_beside_store
def compare(
    names: Sequence[str],
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> Comparison:
    """Compares finished runs with the first of them; the scores are recomputed from the store.

    Raises:
        UnknownNameError: no such run.
        InputError: fewer than two runs, a run is not finished, or the store no longer has its test candles.
    """
    root = Path(runs_dir)
    places = list(dict.fromkeys(folders.find_run(root, name) for name in names))
    if len(places) < 2:
        raise InputError(f"{' '.join(names)}: expected two or more different runs, as in forecast runs compare a b.")
    chosen = [Run.read(folder, root) for folder in places]
    known = tuple(run.name for run in chosen)
    differences = differences_of([run.header for run in chosen])
    store = open_store(data_dir)
    tested = []
    for run in chosen:
        say(f"scoring {run.name} on its test period")
        tested.append(_test(run, store))
    notes = tuple(note for one in tested for note in one.notes)
    shared = _shared(tested)
    if shared is None:
        verdict = "They share no test origin (ticker, day and step), so their scores cannot be compared."
        return Comparison(known, differences, _metric(chosen), (), 0, 0, None, None, (), verdict, 0, notes)
    dates = shared.dates
    first, last, tickers = str(dates.min()), str(dates.max()), tuple(sorted(set(shared.tickers.tolist())))
    ledger = Ledger(Path(data_dir), root)
    looks = [ledger.record(Look(model_of(run.config), first, last, tickers, f"compare {run.name}")) for run in chosen]
    notes += tuple(dict.fromkeys(note for one in looks for note in one.notes))
    scores = tuple(_compared(name, shared, place) for place, name in enumerate(known))
    count = len(np.unique(dates))
    verdict = " ".join(_sentence(one, known[0]) for one in scores[1:])
    return Comparison(
        known,
        differences,
        _metric(chosen),
        shared.steps,
        len(dates),
        count,
        first,
        last,
        scores,
        verdict,
        looks[-1].count,
        notes,
    )


@dataclass(frozen=True, eq=False)
class _Tested:
    """Losses of one run at the origins of its test; both metrics, because the other runs decide which is used."""

    notes: tuple[str, ...]
    levels: tuple[float, ...]
    steps: tuple[int, ...]
    tickers: Shaped[np.ndarray, " origin"]
    dates: Shaped[np.ndarray, " origin"]
    known: Bool[np.ndarray, "origin horizon"]
    pinball: Float[np.ndarray, "origin horizon variable"]
    error: Float[np.ndarray, "origin horizon variable"]

    def losses(self, metric: str) -> Float[np.ndarray, "origin horizon variable"]:
        return self.pinball if metric == "pinball" else self.error


@dataclass(frozen=True, eq=False)
class _Shared:
    """The origins that all runs were tested on."""

    steps: tuple[int, ...]
    tickers: Shaped[np.ndarray, " origin"]
    dates: Shaped[np.ndarray, " origin"]
    losses: Float[np.ndarray, "run origin horizon variable"]


def _test(run: Run, store: Store) -> _Tested:
    """Scores a run on its own tickers."""
    candles = run.candles(store)
    trial = run.trial(candles)
    rows, panel = trial.test_rows, trial.panel
    one = next(iter(forecasters(run.model.members(), trial, rows, baselines=()).values()))
    scores = score(one, trial.dataset, rows, trial.test, trial.levels)
    tickers = np.array(panel.tickers)[panel.ticker_of_row[rows]]
    return _Tested(
        tuple(_notes(run, candles)),
        trial.levels,
        trial.dataset.steps,
        tickers,
        panel.sessions[rows],
        scores.known,
        scores.pinball,
        scores.error,
    )


def _notes(run: Run, candles: RunCandles) -> Iterator[str]:
    if candles.missing:
        some = f"{len(candles.missing)} of run {run.name}'s tickers ({at_most_five(candles.missing)})"
        yield f"The store lacks {some}: the comparison uses the others."
    elif not run.was_trained_on(candles):
        yield f"The store has changed since {run.name} was trained: its scores are computed on the current candles."


def _metric(runs: Sequence[Run]) -> str:
    return "pinball" if len({run.config.task.levels for run in runs}) == 1 else "mae"


def _shared(tested: Sequence[_Tested]) -> _Shared | None:
    """Origins with an outcome at each common step; None if there are none."""
    steps = tuple(sorted(set.intersection(*(set(one.steps) for one in tested))))
    if not steps:
        return None
    columns = [[one.steps.index(step) for step in steps] for one in tested]
    places = [_whole(one, own) for one, own in zip(tested, columns, strict=True)]
    common = sorted(set.intersection(*(set(rows) for rows in places)))
    if not common:
        return None
    metric = "pinball" if len({one.levels for one in tested}) == 1 else "mae"
    losses = [
        one.losses(metric)[np.array([rows[key] for key in common])][:, own]
        for one, own, rows in zip(tested, columns, places, strict=True)
    ]
    tickers, dates = zip(*common, strict=True)
    return _Shared(steps, np.array(tickers), np.array(dates), np.stack(losses))


def _whole(one: _Tested, columns: list[int]) -> dict[tuple[Any, Any], int]:
    """Maps (ticker, date) to the row, for origins with an outcome at each of the steps."""
    rows: Int[np.ndarray, " row"] = np.flatnonzero(one.known[:, columns].all(axis=1))
    return {(one.tickers[row], one.dates[row]): int(row) for row in rows}


def _compared(name: str, shared: _Shared, place: int) -> Compared:
    own, first = shared.losses[place], shared.losses[0]
    if place == 0:
        return Compared(name, float(own.mean()), None, None, None)
    usual = first.mean(axis=(0, 1))  # [variable]
    difference = ((own - first).mean(axis=1) / usual).mean(axis=1)  # equal weight for each price
    test = diebold_mariano(by_date(difference, shared.dates, np.ones(len(own), bool)), shared.steps[-1])
    gain = float((1 - own.mean(axis=(0, 1)) / usual).mean())
    return Compared(name, float(own.mean()), gain, number(test.statistic), number(test.p_value))


def _sentence(one: Compared, first: str) -> str:
    if one.p_value is None or one.gain is None:
        return f"Too few dates to compare {one.run} with {first}, or no difference at all."
    size = f"{abs(one.gain):.2%} {'lower' if one.gain > 0 else 'higher'} loss, p = {one.p_value:.2g}"
    if one.p_value >= 0.05:
        return f"{one.run} does not differ significantly from {first}: {size}."
    return f"{one.run} is {'better' if one.gain > 0 else 'worse'} than {first}: {size}."
