"""Odds of prices in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.runs.priceodds import Odds
from forecaster.show.columns import by_column, fitting, table, taken
from forecaster.show.output import View
from forecaster.show.screen import drawn
from forecaster.show.words import chance, price_text, share, signed

_FEWEST = 100
"""Cases of a bin that is shown; data formats have all bins."""

_EVENT = {"above": "closes above {}", "below": "closes below {}", "touch": "touches {}"}


def odds_view(found: Odds) -> View:
    """A row for each price that was asked about, and the prices that are touched with some chances."""
    return View(found.as_data, _Rows(found), lambda: _Page(found))


@dataclass(frozen=True)
class _Rows:
    """The long form: a row an event and day."""

    found: Odds

    def __iter__(self) -> Iterator[dict[str, Any]]:
        head = {"ticker": self.found.ticker, "origin": self.found.origin}
        for one in self.found.prices:
            for place, date in enumerate(self.found.dates):
                on = one.on[place] if one.on else None
                day = {"event": one.kind, "price": one.price, "day": place + 1, "date": date}
                yield head | day | {"on": on, "by": one.by[place], "formula": one.formula[place]}
        last = {"day": len(self.found.dates), "date": self.found.dates[-1], "on": None}
        for probability, low, high in self.found.touched:
            for price in (low, high):
                yield head | {"event": "touched-with", "price": price} | last | {"by": probability, "formula": None}


@dataclass(frozen=True)
class _Page:
    found: Odds

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        found, width = self.found, drawn(options.max_width)
        close = price_text(found.last_close, found.last_close)
        days = len(found.dates)
        until = f"{days} session{'s' * (days > 1)}, to {found.dates[-1]}"
        yield Text(f"\n{found.ticker} after {found.origin}, close {close} {found.currency}: {until}", "bold")
        if found.prices:
            yield _prices(found, width)
            if any(one.on for one in found.prices):
                yield Text(
                    "The random walk's chance of a close is that of the last day, of a touch by that day.", "dim"
                )
            yield Text()
        yield from (Text(line) for line in _first(found))
        yield _touched(found)
        yield from (Text(line) for line in _size(found))
        yield Text()
        yield Text(_standing(found), "italic")
        yield from _reliability(found, width)


def _prices(found: Odds, width: int) -> Table:
    columns = {
        "": [_EVENT[one.kind].format(price_text(one.price, found.last_close)) for one in found.prices],
        "on that day": [share(one.on[-1] if one.on else None, "–") for one in found.prices],
        "by that day": [share(one.by[-1]) for one in found.prices],
        "random walk": [share(one.formula[-1]) for one in found.prices],
    }
    return table(fitting(columns, width, ("random walk",)), left=("",))


def _first(found: Odds) -> Iterator[str]:
    if found.first is None:
        return
    one, other = (price_text(each.price, found.last_close) for each in found.prices if each.kind == "touch")
    odds = found.first
    yield f"{one} first {odds.one:.1%}, {other} first {odds.other:.1%}, neither {odds.neither:.1%};"
    yield f"both for the first time on one day {odds.same_day:.1%}: a candle does not say which came first."
    yield ""


def _touched(found: Odds) -> Table:
    columns = {
        "chance of a touch": [f"{one:.0%}" for one, _, _ in found.touched],
        "down to": [price_text(low, found.last_close) for _, low, _ in found.touched],
        "up to": [price_text(high, found.last_close) for _, _, high in found.touched],
    }
    return table(columns, left=())


def _size(found: Odds) -> Iterator[str]:
    if found.size is None:
        return
    loss = f"{found.size.loss:,.0f} {found.currency}"
    chances = f"a chance of at most {100 - found.size.level:g}%"
    yield ""
    if found.size.shares is None:
        yield f"Any number of shares loses more than {loss} by {found.dates[-1]} with {chances}."
    else:
        yield f"{found.size.shares:,} shares lose more than {loss} by {found.dates[-1]} with {chances}."


def _standing(found: Odds) -> str:
    """What odds of touches were worth in the run's test."""
    if found.in_sample:
        return f"Run {found.run}. {found.verdict}"
    for one in found.measures:
        if one.skill is not None and one.p_value is not None:
            worth = "better" if one.skill > 0 else "worse"
            proof = "" if one.p_value < 0.05 else ": no evidence of skill"
            return (
                f"Run {found.run}. In its test, touches within {one.step} sessions: Brier score {signed(one.skill)} "
                f"({worth}) beside the random walk, p {chance(one.p_value)}{proof}."
            )
    return (
        f"Run {found.run}. Such odds were not measured in its test; docs/risk.md tells what they were worth elsewhere."
    )


def _reliability(found: Odds, width: int) -> Iterator[RenderableType]:
    """Chances that were given in the test, and how often it happened, side by side."""
    bins = [one for measure in found.measures for one in measure.reliability if one.count >= _FEWEST]
    if not bins:
        return
    rows = {
        "chance given": [f"{one.given:.0%}" for one in bins],
        "happened": [f"{one.happened:.0%}" for one in bins],
        "cases": [f"{one.count:,}" for one in bins],
    }
    for shown in (rows, {name: row for name, row in rows.items() if name != "cases"}):
        columns = by_column(
            [str(place) for place in range(len(bins) + 1)], [[name, *row] for name, row in shown.items()]
        )
        if taken(columns) <= width:
            break
    grid = table(columns, left=("0",))
    grid.show_header = False
    yield grid
