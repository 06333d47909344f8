"""Gathers the content of a run's report page from its folder and the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from forecaster.config.schema import Config
from forecaster.data.store import open_store
from forecaster.display import Displayable, display
from forecaster.errors import InputError, at_most_five
from forecaster.evaluation.diagnose import Diagnosis, diagnose
from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.explorer import ORIGINS
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.rows import find
from forecaster.evaluation.scorecard import Scorecard
from forecaster.header import Header
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import tuned_allocator
from forecaster.runs import folder as folders
from forecaster.runs.run import Run, RunCandles
from forecaster.training.files import Curves

_SAME = 5e-5
"""Skills that differ by less than this are the same: the last bits depend on the machine."""


@dataclass(frozen=True, eq=False)
class Report(Displayable):
    """The content of a run's report page.

    Args:
        card: scorecard of the test period, from the model file.
        curves: empty if the file is gone.
        diagnosis: diagnostics of the test period; None if the run was fitted on it.
        notes: what cannot be shown or has changed since training, a sentence each.
    """

    source: Run
    card: Scorecard
    curves: Curves
    diagnosis: Diagnosis | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Report({self.run}: {self.card.brief})"

    def to_html(self) -> str:
        """The page that `forecast report` writes: one file, which loads nothing."""
        return display().report_page(self)

    @property
    def run(self) -> str:
        """The run's name."""
        return self.source.name

    @property
    def header(self) -> Header:
        """The model file's header."""
        return self.source.header

    @property
    def config(self) -> Config:
        """The resolved config."""
        return self.source.config


@tuned_allocator()
@large_arrays_beside_store
def report(
    run: str = "latest",
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Gathers a run's report; its forecasts of the test period are recomputed.

    Args:
        run: a folder, a name under the runs folder, or `latest`.

    Raises:
        UnknownNameError: no such run.
        InputError: it is unfinished or damaged, or the store has no candles of its test period.
    """
    one = Run.find(runs_dir, run)
    card, curves, members = _card(one), one.curves(), one.model.members()
    notes = []
    if curves is None:
        notes.append(f"The training curve is not shown: the run's folder has no readable {folders.CURVE}.")
    diagnosis = None
    if one.header.fitted_to > one.split.validation_end:
        notes.append(
            f"The run was fitted on days up to {one.header.fitted_to}, so forecasts of the days after "
            f"{one.split.validation_end} would not be a test of it: calibration, skill by month and ticker, the echo "
            "check and the explorer are left out."
        )
    else:
        say("reading candles")
        candles = one.candles(open_store(data_dir))
        trial = one.trial(candles)
        say(f"forecasting {len(trial.test_rows):,} origins of the test period")
        diagnosis = diagnose(forecasters(members, trial, trial.test_rows, baselines=[card.hardest]), trial)
        notes += _changes(one, candles, card, diagnosis)
    looks = Ledger(Path(data_dir), Path(runs_dir)).record(one.look(card, f"report {one.name}"))
    return Report(
        one, card.with_looks(looks.count), curves if curves and any(curves) else (), diagnosis, (*notes, *looks.notes)
    )


def _card(run: Run) -> Scorecard:
    """The header's scorecard, validated: a model file may come from anywhere."""
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
    """The first problem, on one line."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _changes(run: Run, candles: RunCandles, card: Scorecard, diagnosis: Diagnosis) -> Iterator[str]:
    """Yields a sentence for each difference between the store now and the candles of the training."""
    if candles.missing:
        yield (
            f"{len(candles.missing)} of the run's {len(run.tickers)} tickers cannot be shown, because the store has no "
            f"readable candles of them: {at_most_five(candles.missing)}."
        )
    elif not run.was_trained_on(candles):
        yield "The store's candles of these tickers are not those of the training: some are newer, or were revised."
    then, now = (_skill(one, diagnosis.card.reference) for one in (card, diagnosis.card))
    if then is not None and now is not None and abs(then - now) > _SAME:
        yield (
            f"With the store's current candles the skill is {now:+.2%}, not {then:+.2%}: verdict and skill table are "
            "from the training, everything else is current."
        )
    fewest = min(len(one.origins) for one in diagnosis.explorer)
    if fewest < min(ORIGINS, diagnosis.by_ticker.origins.min()):
        yield f"The explorer has the last {fewest} origins of each ticker: more would make the page too large."
