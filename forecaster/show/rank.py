"""A ranking in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from forecaster.show.columns import fitting, table
from forecaster.show.output import View
from forecaster.show.screen import drawn
from forecaster.show.words import price_text
from forecaster.workflows.rank import Ranking

_MOST = 25
"""Tickers shown on the screen; data formats have all."""

_RISE = "Which will rise, no ranking knows."
_WORDS = {"range": "the range of that day", "volatility": "volatility up to that day", "loss": "loss by that day"}


def rank_view(found: Ranking) -> View:
    """A row a ticker."""
    return View(found.as_data, [asdict(one) for one in found.rows], lambda: _Page(found))


@dataclass(frozen=True)
class _Page:
    found: Ranking

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        found = self.found
        rows = found.rows[:_MOST]
        ahead = f"{found.step} session{'s' * (found.step > 1)} ahead"
        yield Text(f"\n{len(found.rows):,} ticker{'s' * (len(found.rows) > 1)} by {_WORDS[found.by]}, {ahead}", "bold")
        columns = {
            "": [str(one.place) for one in rows],
            "ticker": [one.ticker for one in rows],
            "after": [one.origin for one in rows],
            "close": [f"{price_text(one.close, one.close)} {one.currency}" for one in rows],
            "range": [f"{np.expm1(one.range):.1%}" for one in rows],
            "volatility": [f"{one.volatility:.0%} a year" for one in rows],
            "loss, 1 of 20": [f"{one.loss:.1%}" for one in rows],
        }
        yield table(fitting(columns, drawn(options.max_width), ("after", "close")), left=("ticker", "after"))
        if len(found.rows) > _MOST:
            yield Text(f"The first {_MOST} of {len(found.rows):,}; all of them: --format csv.", "dim")
        yield Text()
        yield Text(_standing(found), "italic")


def _standing(found: Ranking) -> str:
    """How well such a ranking did in the run's test."""
    if found.in_sample:
        return f"Run {found.run}. {found.verdict}"
    for one in found.measures:
        if one.loss is not None and one.skill is not None:
            own, other = 1 - one.loss, 1 - one.loss / (1 - one.skill)
            return (
                f"Run {found.run}. In its test the rank correlation of forecast and actual ranges was {own:.2f} at "
                f"step {one.step}; that of {one.baseline.upper()} {other:.2f}. {_RISE}"
            )
    return f"Run {found.run}. Ranks were not measured in its test: docs/risk.md has figures. {_RISE}"
