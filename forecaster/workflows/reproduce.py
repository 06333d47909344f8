"""Trains a run again from what its folder records, and compares the weights bit for bit."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.data.store import Store, open_store
from forecaster.errors import InputError, at_most_five
from forecaster.evaluation.evaluate import evaluate
from forecaster.events import Say, Tick
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import tuned_allocator
from forecaster.modelfile import versions
from forecaster.runs.folder import is_shipped
from forecaster.runs.initial import initial_of
from forecaster.runs.run import Run


@dataclass(frozen=True)
class Reproduction:
    """What a second training of a run gave.

    Args:
        same: weights and scores are those of the run, bit for bit.
        weights: number of arrays that were compared; `different` names those that differ.
        scores: whether the scores of the test are the same.
        reasons: what has changed since, a sentence each.
    """

    run: str
    same: bool
    weights: int
    different: tuple[str, ...]
    scores: bool
    reasons: tuple[str, ...]


@tuned_allocator()
@large_arrays_beside_store
def reproduce(
    run: str = "latest",
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> Reproduction:
    """Trains a finished run again, from its model file and the store's candles, and compares.

    The weights that `training.through: latest` adds for production are not trained again: what was newest then is not
    recorded.

    Raises:
        UnknownNameError, InputError: no such run, or the store lacks its candles.
    """
    from forecaster.modelfile import weights_of
    from forecaster.training.members import learn
    from forecaster.training.networks import Job

    one = Run.find(runs_dir, run)
    _require_candles(one, Store(data_dir))
    candles = one.candles(open_store(data_dir))
    trial = one.trial(candles)
    reasons = [*_changes(one)]
    if not one.was_trained_on(candles):
        reasons.append("The store's candles are not those that it was trained on.")
    with tempfile.TemporaryDirectory() as folder:
        init = initial_of(trial, one.runs_dir, one.split.validation_end)
        learnt = learn(Job(trial, Path(folder), say, tick, init=init))
    say("comparing weights and scores")
    again = {
        f"{index}/{name}": value
        for index, member in enumerate(learnt.members)
        for name, value in weights_of(member).items()
    }
    different = tuple(sorted(_different(one.model.tensors, again)))
    card = evaluate(learnt.members, trial, templates=one.model.templates)
    card = card.by_weights(init.about.fitted_to) if init else card
    scores = json.loads(json.dumps(card.stored()["models"])) == one.header.scorecard.get("models")
    return Reproduction(one.name, scores and not different, len(again), different, scores, tuple(reasons))


def _require_candles(one: Run, store: Store) -> None:
    """The shipped run's candles do not ship with it.

    Raises:
        InputError: it is the shipped run, and the store lacks some of them.
    """
    missing = [ticker for ticker in one.tickers if not store.holds(ticker)] if is_shipped(one.folder) else []
    if missing:
        raise InputError(
            f"{one.name} cannot be trained again here: the candles of its {len(one.tickers)} tickers do not ship with "
            f"it, and the store lacks {len(missing)} of them. Train and reproduce a run of your own (`forecast train "
            f"demo --name mine`, `forecast runs reproduce mine`), or test {one.name} on your own tickers: "
            f"`forecast backtest {one.name} --tickers AAPL,MSFT`."
        )


def in_words(found: Reproduction) -> str:
    """The result as a sentence."""
    if found.same:
        return f"run {found.run} was reproduced: {found.weights} arrays of weights and all scores are the same bits."
    parts = f"{len(found.different)} of {found.weights} arrays differ ({at_most_five(found.different)})"
    what = parts if found.different else "its scores differ"
    return f"run {found.run} was not reproduced: {what}. {' '.join(found.reasons)}".rstrip()


def _changes(one: Run) -> Iterator[str]:
    """The libraries whose version is not that of the training."""
    now = versions()
    for name, version in one.header.versions.items():
        if now.get(name) != version:
            yield f"It was trained with {name} {version}, this is {now.get(name, 'none')}."


def _different(before: Mapping[str, np.ndarray], again: Mapping[str, np.ndarray]) -> Iterator[str]:
    for name, value in again.items():
        other = before.get(name)
        if other is None or other.dtype != value.dtype or other.tobytes() != value.tobytes():
            yield name
