"""The skill report: one table and one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.rows import Row
from forecaster.evaluation.scorecard import Scorecard
from forecaster.show.columns import Sparing, by_column
from forecaster.show.output import View
from forecaster.workflows.backtest import Backtest
from forecaster.workflows.train import TrainedRun

_COLOURS = {"skill": "green", "no-evidence": "yellow", "worse": "red"}


def trained_view(run: TrainedRun) -> View:
    """A finished training: its scorecard, how often the test period was looked at, and where the run lies."""
    card = run.scorecard
    data = {"run": run.folder.name, "folder": str(run.folder), **card.as_data(), "test_period_looks": run.looks}
    return View(data, [asdict(row) for row in card.rows], lambda: _report(card, run.looks))


def backtest_view(result: Backtest) -> View:
    """A walk-forward evaluation."""
    card = result.scorecard
    return View(result.as_data(), [asdict(row) for row in card.rows], lambda: _report(card, result.looks))


def _report(card: Scorecard, looks: int) -> RenderableType:
    title = f"\nTest: {card.sessions} sessions, {card.first} to {card.last}; {_tickers(card)}"
    legend = (
        "Pinball and MAE are of log(price / last close), in basis points; skill is the share by which pinball is lower "
        f"than the {card.reference}'s; 50%, 80% and 90% say how often the outcome fell into those bands."
    )
    return Group(
        Text(title, "bold"),
        _table(card),
        Text(legend, "dim"),
        Text(f"\nSkill over each baseline: {_by_baseline(card)}"),
        Text(f"Skill by step: {_by_step(card)}"),
        *(Text(line) for line in _widths(card)),
        Text(card.verdict.text, _COLOURS[card.verdict.code]),
        *(Text(note, "dim") for note in card.notes),
        Text(_looks(looks), "dim"),
    )


def _table(card: Scorecard) -> Sparing:
    rows, styles = list[list[str]](), list[str]()
    shown = [row for row in card.rows if row.step == "all" and row.baseline in (None, card.reference)]
    for variable in (*VARIABLES, "mean"):
        for place, row in enumerate(row for row in shown if row.variable == variable):
            rows.append(["" if place else variable, row.name, *_figures(row)])
            styles.append("" if row.kind == "model" else "dim")
    names = ("price", "forecast", "pinball", "skill", "p", "MAE", "50%", "80%", "90%")
    return Sparing(by_column(names, rows), ("price", "forecast"), ("MAE", "50%", "90%", "p"), ("forecast",), styles)


def _figures(row: Row) -> list[str]:
    coverages = (row.coverage50, row.coverage80, row.coverage90)
    return [
        _points(row.pinball),
        "" if row.skill_pinball is None else f"{row.skill_pinball:+.2%}",
        _chance(row.p_value),
        _points(row.mae),
        *("" if share is None or row.name == "last-close" else f"{share:.1%}" for share in coverages),
    ]


def _chance(p_value: float | None) -> str:
    return "" if p_value is None else "<.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def _model_rows(card: Scorecard) -> Iterator[Row]:
    return (
        row for row in card.rows if row.kind == "model" and row.variable == "mean" and row.skill_pinball is not None
    )


def _by_baseline(card: Scorecard) -> str:
    rows = (row for row in _model_rows(card) if row.step == "all")
    return " · ".join(f"{row.baseline} {row.skill_pinball:+.2%} (p {_chance(row.p_value) or '–'})" for row in rows)


def _by_step(card: Scorecard) -> str:
    rows = [row for row in _model_rows(card) if row.step != "all" and row.baseline == card.reference]
    shown = rows if len(rows) <= 6 else [*rows[:3], *rows[-2:]]
    return " · ".join(f"{row.step} {row.skill_pinball:+.2%}" for row in shown)


_QUANTITIES = {
    "range": "Skill for a session's range, by step",
    "volatility": "Skill for the volatility up to a step",
    "path-range": "Skill for the range of whole paths",
}


def _widths(card: Scorecard) -> Iterator[str]:
    """What can be forecast: a line for each kind of width."""
    name = card.rows[0].name
    for quantity, title in _QUANTITIES.items():
        found = [one for one in card.measures if (one.name, one.quantity) == (name, quantity) and one.skill is not None]
        shown = found if len(found) <= 6 else [*found[:3], *found[-2:]]
        if shown:
            yield f"{title}: " + " · ".join(f"{one.step} {one.skill:+.1%}" for one in shown)


def _looks(looks: int) -> str:
    if looks == 1:
        return "This is the first look at this test period."
    return f"This is look number {looks} at this test period: the more looks, the less a test it is."


def _tickers(card: Scorecard) -> str:
    return f"{card.tickers} ticker{'' if card.tickers == 1 else 's'}; {card.origins:,} forecasts"


def _points(loss: float | None) -> str:
    return "" if loss is None else f"{loss * 1e4:.1f}"
