"""What differs between runs: in config, in data, and in score on the test origins that they share."""

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
from forecaster.runs import folder as folders
from forecaster.runs.run import Held, Run
from forecaster.workflows.differences import Difference, differences_of


@dataclass(frozen=True)
class Compared:
    """A run's score on the shared origins, beside the first run's.

    Args:
        loss: mean over prices, steps and origins, of log(price / last close).
        gain: share by which the loss is lower than the first run's, mean of the four prices; None for the first.
        p_value: two-sided, of a Diebold–Mariano test on means by date.
    """

    run: str
    loss: float
    gain: float | None
    dm_statistic: float | None
    p_value: float | None


@dataclass(frozen=True)
class Comparison:
    """What differs between runs.

    Args:
        metric: `pinball`, or `mae` of the median where the runs give different quantile levels.
        steps: sessions ahead that all runs forecast.
        scores: empty where the runs share no test origin.
        looks: different models that were tried on the shared test, these included; 0 without one.
        notes: what the reader should know beside, a sentence each.
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
        """As JSON has it."""
        data = asdict(self)
        data["differences"] = [
            {"kind": one.kind, "key": one.key} | dict(zip(self.runs, one.values, strict=True))
            for one in self.differences
        ]
        return data


def compare(
    names: Sequence[str],
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> Comparison:
    """Compare finished runs with the first of them; the scores are computed anew from the store.

    Raises:
        UnknownNameError: no such run.
        InputError: fewer than two runs, a run is not finished, or the store no longer holds what it was tested on.
    """
    root = Path(runs_dir)
    places = list(dict.fromkeys(folders.find_run(root, name) for name in names))
    if len(places) < 2:
        raise InputError(f"{' '.join(names)}: expected two or more different runs, as in forecast runs compare a b.")
    chosen = [Run(folder, folders.finished_model(folder)) for folder in places]
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
        told = "They share no test origin (a ticker, a day and a step of both tests): no test can tell them apart."
        return Comparison(known, differences, _metric(chosen), (), 0, 0, None, None, (), told, 0, notes)
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
    """Losses of one run at the origins of its test; both kinds, for it is not known yet which can be compared."""

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
    """Score a run on its own tickers, whatever the store holds besides."""
    held = run.held(store)
    trial = run.trial(held)
    rows, panel = trial.test_rows, trial.panel
    one = next(iter(forecasters(run.model.members(), trial, rows, baselines=()).values()))
    scores = score(one, trial.dataset, rows, trial.test, trial.levels)
    tickers = np.array(panel.tickers)[panel.ticker_of_row[rows]]
    return _Tested(
        tuple(_notes(run, held)),
        trial.levels,
        trial.dataset.steps,
        tickers,
        panel.sessions[rows],
        scores.known,
        scores.pinball,
        scores.error,
    )


def _notes(run: Run, held: Held) -> Iterator[str]:
    if held.lacking:
        some = f"{len(held.lacking)} of run {run.name}'s tickers ({at_most_five(held.lacking)})"
        yield f"The store lacks {some}: the others are compared."
    elif not run.is_made_of(held):
        yield f"The store has changed since {run.name} was trained: its scores are on the candles of today."


def _metric(runs: Sequence[Run]) -> str:
    return "pinball" if len({run.config.task.levels for run in runs}) == 1 else "mae"


def _shared(tested: Sequence[_Tested]) -> _Shared | None:
    """Origins with an outcome at each common step; None where there is none."""
    steps = tuple(sorted(set.intersection(*(set(one.steps) for one in tested))))
    if not steps:
        return None
    columns = [[one.steps.index(step) for step in steps] for one in tested]
    places = [_whole(one, own) for one, own in zip(tested, columns, strict=True)]
    common = sorted(set.intersection(*(set(found) for found in places)))
    if not common:
        return None
    metric = "pinball" if len({one.levels for one in tested}) == 1 else "mae"
    losses = [
        one.losses(metric)[np.array([found[key] for key in common])][:, own]
        for one, own, found in zip(tested, columns, places, strict=True)
    ]
    tickers, dates = zip(*common, strict=True)
    return _Shared(steps, np.array(tickers), np.array(dates), np.stack(losses))


def _whole(one: _Tested, columns: list[int]) -> dict[tuple[Any, Any], int]:
    """(ticker, date) → row, where each of the steps has an outcome."""
    rows: Int[np.ndarray, " row"] = np.flatnonzero(one.known[:, columns].all(axis=1))
    return {(one.tickers[row], one.dates[row]): int(row) for row in rows}


def _compared(name: str, shared: _Shared, place: int) -> Compared:
    own, first = shared.losses[place], shared.losses[0]
    if place == 0:
        return Compared(name, float(own.mean()), None, None, None)
    usual = first.mean(axis=(0, 1))
    difference = ((own - first).mean(axis=1) / usual).mean(axis=1)  # each price weighs the same
    test = diebold_mariano(by_date(difference, shared.dates, np.ones(len(own), bool)), shared.steps[-1])
    gain = float((1 - own.mean(axis=(0, 1)) / usual).mean())
    return Compared(name, float(own.mean()), gain, number(test.statistic), number(test.p_value))


def _sentence(one: Compared, first: str) -> str:
    if one.p_value is None or one.gain is None:
        return f"Too few dates to tell {one.run} from {first}, or no difference at all."
    size = f"{abs(one.gain):.2%} {'lower' if one.gain > 0 else 'higher'} loss, p = {one.p_value:.2g}"
    if one.p_value >= 0.05:
        return f"{one.run} cannot be told from {first}: {size}."
    return f"{one.run} is {'better' if one.gain > 0 else 'worse'} than {first}: {size}."
