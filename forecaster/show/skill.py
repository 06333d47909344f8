"""Test results: three sentences and a small table; on request every price, step and width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.rows import Row, find
from forecaster.evaluation.scorecard import Scorecard
from forecaster.show.columns import Sparing, by_column
from forecaster.show.output import View
from forecaster.show.words import VERDICT_COLOURS, basis_points, chance, share, signed

if TYPE_CHECKING:  # both load torch, which a list of runs does not need
    from forecaster.workflows.backtest import Backtest
    from forecaster.workflows.train import TrainedRun

_T = TypeVar("_T")

LEGEND = (
    "Mean of the four prices over all steps. Pinball (of quantiles) and MAE (of medians) are losses of log(price / "
    "last close), in basis points. 50%, 80% and 90% are the shares of prices inside those bands."
)
_SHOWN = 6
"""Steps on a line; of more, the first three and the last two are shown."""


def trained_view(run: TrainedRun, verbose: bool = False) -> View:
    """A finished training: test results and the run's folder."""
    data = {"run": run.folder.name, "folder": str(run.folder), **run.scorecard.as_data()}
    return _view(data, run.scorecard, run.notes, verbose)


def backtest_view(result: Backtest, verbose: bool = False) -> View:
    """A walk-forward evaluation."""
    return _view(result.as_data(), result.scorecard, result.notes, verbose)


def _view(data: object, card: Scorecard, notes: Sequence[str], verbose: bool) -> View:
    def render() -> RenderableType:
        parts = [Text(), *summary(card), Text(), table(card)]
        return Group(*parts, *(details(card) if verbose else ()), *_notes([*card.notes, *_trials(card), *notes]))

    return View(data, [asdict(row) for row in card.rows], render)


def summary(card: Scorecard) -> list[Text]:
    """Ranges, bands and direction, one sentence each; the first in the verdict's colour."""
    ranges, bands, direction = card.verdict.lines
    return [Text(ranges, VERDICT_COLOURS[card.verdict.code]), Text(bands), Text(direction)]


def table(card: Scorecard) -> RenderableType:
    """The run beside each baseline: the mean of the four prices, over all steps."""
    columns, rows = comparison(card)
    shown = by_column(columns, rows)
    return Group(
        Text(f"Test: {card.extent}", "bold"),
        Sparing(shown, ("forecast",), ("50%", "90%", "MAE", "p"), ("forecast",), _styles(rows)),
        Text(LEGEND, "dim"),
    )


def comparison(card: Scorecard) -> tuple[tuple[str, ...], list[list[str]]]:
    """The same as names of columns and rows of text."""
    return ("forecast", f"{card.model} is better by", *_NAMES), _beside(card, "mean")


_NAMES = ("p", "pinball", "MAE", "50%", "80%", "90%")


def details(card: Scorecard) -> Iterator[RenderableType]:
    """Each price, each step, and the widths."""
    rows = [
        [variable if not place else "", *row]
        for variable in VARIABLES
        for place, row in enumerate(_beside(card, variable))
    ]
    names = ("price", "forecast", "better by", *_NAMES)
    yield Text("\nBy price", "bold")
    styles = _styles([row[1:] for row in rows])
    yield Sparing(by_column(names, rows), ("price", "forecast"), ("MAE", "50%", "90%", "p"), ("forecast",), styles)
    yield Text("\nBy step", "bold")
    for baseline in dict.fromkeys((card.hardest, card.reference)):
        yield Text(f"Better than {baseline}: {_by_step(card, baseline)}")
    if held := _held(card):
        yield Text(f"80% band of the close held: {held}")
    yield from (Text(line) for line in _widths(card))


def _beside(card: Scorecard, variable: str) -> list[list[str]]:
    """A row for the run, then one for each baseline with the run's margin over it."""
    margins = [row for row in card.rows if (row.name, row.variable, row.step) == (card.model, variable, "all")]
    rows = [[card.model, "", "", *_figures(margins[0])]]
    for margin in margins:
        assert margin.baseline
        own = find(card.rows, margin.baseline, variable, "all", _compared_with(card, margin.baseline))
        by = "" if margin.skill_pinball is None else f"{margin.skill_pinball:+.2%}"
        rows.append([margin.baseline, by, chance(margin.p_value) if by else "", *_figures(own)])
    return rows


def _compared_with(card: Scorecard, baseline: str) -> str | None:
    return None if baseline == card.reference else card.reference


def _figures(row: Row) -> list[str]:
    coverages = (row.coverage50, row.coverage80, row.coverage90)
    return [basis_points(row.pinball), basis_points(row.mae), *map(share, coverages)]


def _styles(rows: Sequence[Sequence[str]]) -> list[str]:
    """The run's own row, which has no margin, is emphasised."""
    return ["" if not row[1] and row[3] else "dim" for row in rows]


def _by_step(card: Scorecard, baseline: str) -> str:
    rows = [
        row
        for row in card.rows
        if (row.name, row.variable, row.baseline) == (card.model, "mean", baseline) and row.step != "all"
    ]
    return " · ".join(f"{row.step} {signed(row.skill_pinball or row.skill_mae)}" for row in _some(rows))


def _held(card: Scorecard) -> str:
    return " · ".join(f"{one.step} {share(one.held)}" for one in _some(card.verdict.coverage_of(0.8)))


def _some(found: Sequence[_T]) -> Sequence[_T]:
    return found if len(found) <= _SHOWN else [*found[:3], *found[-2:]]


_QUANTITIES = {
    "range": "A session's range, by step",
    "volatility": "The volatility up to a step",
    "path-range": "The range of whole paths",
}


def _widths(card: Scorecard) -> Iterator[str]:
    """One line for each kind of width."""
    for quantity, title in _QUANTITIES.items():
        found = [one for one in card.widths() if one.quantity == quantity and one.skill is not None]
        if found:
            steps = " · ".join(f"{one.step} {one.skill:+.1%}" for one in _some(found))
            yield f"{title}, better than {found[0].baseline}: {steps}"


def _trials(card: Scorecard) -> Iterator[str]:
    if card.looks > 1 and not card.in_sample:
        yield f"{card.looks} models were tried on this test so far, this one included; p is corrected for that."


def _notes(notes: Sequence[str]) -> Iterator[Text]:
    return (Text(note, "dim") for note in notes)
