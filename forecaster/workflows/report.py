"""All that a page about a run says, gathered from its folder and from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from forecaster.config.schema import Config
from forecaster.data.store import open_store
from forecaster.errors import InputError, at_most_five
from forecaster.evaluation.diagnose import Diagnosis, diagnose
from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.explorer import ORIGINS
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.rows import find
from forecaster.evaluation.scorecard import Scorecard
from forecaster.header import Header
from forecaster.runs import folder as folders
from forecaster.runs.run import Held, Run
from forecaster.training.files import Curves

_SAME = 5e-5
"""Skills that differ by less than this are the same: the last bits depend on the machine."""


@dataclass(frozen=True, eq=False)
class Report:
    """What a page about a run says.

    Args:
        card: how it did in the test period, as its training said.
        curves: empty where they are lost.
        diagnosis: what its forecasts of the test period show; None where they would be no test.
        notes: what cannot be shown or is not as it was in training, a sentence each.
    """

    source: Run
    card: Scorecard
    curves: Curves
    diagnosis: Diagnosis | None
    notes: tuple[str, ...]

    @property
    def run(self) -> str:
        """The run's name."""
        return self.source.name

    @property
    def header(self) -> Header:
        """What the model file says of itself."""
        return self.source.header

    @property
    def config(self) -> Config:
        """The resolved config."""
        return self.source.config


def report(
    run: str = "latest",
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Gather a run's report; its forecasts of the test period are computed again.

    Args:
        run: a folder, a name under the runs folder, or `latest`.

    Raises:
        UnknownNameError: no such run.
        InputError: it is not finished or damaged, or the store has nothing of its test period.
    """
    one = Run.find(runs_dir, run)
    card, curves, members = _card(one), one.curves(), one.model.members()
    notes = []
    if curves is None:
        notes.append(f"The training curve is not shown: the run's folder has no readable {folders.CURVE}.")
    diagnosis = None
    if one.header.fitted_to > one.split.validation_end:
        notes.append(
            f"The run has learnt from days up to {one.header.fitted_to}, so that forecasts of the days after "
            f"{one.split.validation_end} would be no test of it: calibration, skill by month and ticker, the echo "
            "check and the explorer are left out."
        )
    else:
        say("reading candles")
        held = one.held(open_store(data_dir))
        trial = one.trial(held)
        say(f"forecasting {len(trial.test_rows):,} origins of the test period")
        diagnosis = diagnose(forecasters(members, trial, trial.test_rows, baselines=[card.hardest]), trial)
        notes += _changes(one, held, card, diagnosis)
    looks = Ledger(Path(data_dir), Path(runs_dir)).record(one.look(card, f"report {one.name}"))
    return Report(
        one, card.after(looks.count), curves if curves and any(curves) else (), diagnosis, (*notes, *looks.notes)
    )


def _card(run: Run) -> Scorecard:
    """What the header says of the test, when it makes sense: a model file may come from anywhere."""
    from pydantic import TypeAdapter

    try:
        card = TypeAdapter(Scorecard).validate_python(asdict(Scorecard.read(run.header.scorecard)))
        if not (card.rows and card.horizon):
            raise ValueError("its scorecard is empty")
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"model file {run.model.path} is damaged, or of another version: {_reason(error)}. "
            "Train it again or name another run."
        ) from error
    return card


def _skill(card: Scorecard, baseline: str) -> float | None:
    row = find(card.rows, card.model, "mean", "all", baseline)
    return row.skill_mae if row.skill_pinball is None else row.skill_pinball


def _reason(error: Exception) -> str:
    """The first thing that is wrong, on one line."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _changes(run: Run, held: Held, card: Scorecard, diagnosis: Diagnosis) -> Iterator[str]:
    """In what the store is not the one that the run was trained on."""
    if held.lacking:
        yield (
            f"{len(held.lacking)} of the {len(run.tickers)} tickers of the run cannot be shown, for the store has no "
            f"readable candles of them: {at_most_five(held.lacking)}."
        )
    elif not run.is_made_of(held):
        yield "The store's candles of these tickers are not those of the training: some are newer, or were revised."
    told, now = (_skill(one, diagnosis.card.reference) for one in (card, diagnosis.card))
    if told is not None and now is not None and abs(told - now) > _SAME:
        yield (
            f"On the store as it is now the skill is {now:+.2%}, not {told:+.2%}: verdict and skill table are those of "
            "the training, all else is of now."
        )
    fewest = min(len(one.origins) for one in diagnosis.explorer)
    if fewest < min(ORIGINS, diagnosis.by_ticker.origins.min()):
        yield f"The explorer holds the last {fewest} origins of each ticker: more would make the page too large."
