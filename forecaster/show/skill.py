"""The skill report: one table and one sentence."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.scorecard import Row, Scorecard
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
        Text(f"\nSkill by step: {_by_step(card)}"),
        Text(card.verdict.text, _COLOURS[card.verdict.code]),
        Text(_looks(looks), "dim"),
    )


def _table(card: Scorecard) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for name in ("price", "forecast"):
        table.add_column(name)
    for name in ("pinball", "skill", "p", "MAE", "50%", "80%", "90%"):
        table.add_column(name, justify="right")
    for variable in (*VARIABLES, "mean"):
        for place, row in enumerate(row for row in card.rows if row.variable == variable and row.step == "all"):
            style = None if row.kind == "model" else "dim"
            table.add_row("" if place else variable, row.name, *_figures(row), style=style)
    return table


def _figures(row: Row) -> list[str]:
    p_value = "" if row.p_value is None else "<.0001" if row.p_value < 1e-4 else f"{row.p_value:.2g}"
    coverages = (row.coverage50, row.coverage80, row.coverage90)
    return [
        _points(row.pinball),
        "" if row.skill_pinball is None else f"{row.skill_pinball:+.2%}",
        p_value,
        _points(row.mae),
        *("" if share is None or row.name == "last-close" else f"{share:.1%}" for share in coverages),
    ]


def _by_step(card: Scorecard) -> str:
    rows = [row for row in card.rows if row.kind == "model" and row.variable == "mean" and row.step != "all"]
    shown = rows if len(rows) <= 6 else [*rows[:3], *rows[-2:]]
    return " · ".join(f"{row.step} {row.skill_pinball:+.2%}" for row in shown if row.skill_pinball is not None)


def _looks(looks: int) -> str:
    if looks == 1:
        return "This is the first look at this test period."
    return f"This is look number {looks} at this test period: the more looks, the less a test it is."


def _tickers(card: Scorecard) -> str:
    return f"{card.tickers} ticker{'' if card.tickers == 1 else 's'}; {card.origins:,} forecasts"


def _points(loss: float | None) -> str:
    return "" if loss is None else f"{loss * 1e4:.1f}"
