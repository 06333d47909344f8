"""A portfolio's risk in a terminal: what it may win and lose day by day, and which holding that comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.runs.portfolio import PortfolioRisk
from forecaster.show.columns import fitting, table
from forecaster.show.output import View
from forecaster.show.screen import drawn
from forecaster.show.words import chance, price_text, share

_SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)
_SPARED = ("windows", "Christoffersen p", "ES", "pinball, bp", "Kupiec p")
"""Columns of a backtest that a narrow screen lacks, in this order."""

_DAYS = 5
"""Days shown on the screen: the first, the last, and some between; data formats have all."""


def risk_view(found: PortfolioRisk) -> View:
    """One table of days, one of holdings."""
    return View(found.as_data, _Rows(found), lambda: _Page(found))


@dataclass(frozen=True)
class _Rows:
    """The long form: a row a quantity, day, level and holding."""

    found: PortfolioRisk

    def __iter__(self) -> Iterator[dict[str, Any]]:
        found = self.found
        head = {"origin": found.origin, "unit": found.unit}

        def row(
            quantity: str, value: float | None, day: int, level: float | None = None, ticker: str | None = None
        ) -> Any:
            return head | {"quantity": quantity, "ticker": ticker, "day": day, "level": level, "value": value}

        yield row("value", found.value, 0)
        yield row("cash", found.cash, 0)
        for day, quantiles in enumerate(found.profits.tolist(), 1):
            for level, value in zip(found.levels, quantiles, strict=True):
                yield row("profit_and_loss", value, day, level)
        level, last = found.level / 100, found.days
        for name in ("value_at_risk", "expected_shortfall"):
            yield row(name, getattr(found, name), last, level)
        for name in ("deviation", "volatility", "diversification"):
            yield row(name, getattr(found, name), last)
        yield row("drawdown", found.drawdown[0], last, 0.5)
        yield row("drawdown", found.drawdown[1], last, level)
        for one in found.holdings:
            yield row("value", one.value, 0, ticker=one.ticker)
            yield row("expected_shortfall", one.alone, last, level, one.ticker)
            yield row("contribution", one.contribution, last, level, one.ticker)


@dataclass(frozen=True)
class _Page:
    """The tables at the width of the screen."""

    found: PortfolioRisk

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        found, width = self.found, drawn(options.max_width)
        yield Text(f"\n{title(found)}", "bold")
        yield _days(found, width)
        yield Text()
        yield from (Text(line) for line in figures(found))
        yield Text()
        yield table(fitting(holding_columns(found), width, ("close", "shares", "share")), left=("ticker",))
        yield Text(together(found), "dim")
        if found.tests:
            yield Text()
            columns = backtest_columns(found)
            shown = fitting(columns, width, _SPARED)
            yield table(shown, left=("method",))
            yield Text(" ".join((*backtest_words(shown), *_rest(columns, shown))), "dim")
        yield Text()
        hint = "" if found.tests else " What this portfolio's values at risk held: --backtest."
        yield Text(standing(found) + hint, "italic")


def title(found: PortfolioRisk) -> str:
    """What is held, what it is worth, and how far ahead is looked."""
    count = len(found.holdings)
    what = f"{count} holding{'s' * (count > 1)}" + _money_beside(found.cash)
    worth = "" if found.unit == "%" else f", worth {money(found, found.value)}"
    sessions = f"{found.days} session{'s' * (found.days > 1)}"
    return f"{what} after {found.origin}{worth}: profit and loss over {sessions}"


def _money_beside(cash: float) -> str:
    return " and cash" if cash > 0 else " and a debt" if cash < 0 else ""


def money(found: PortfolioRisk, value: float) -> str:
    """An amount in the portfolio's unit."""
    return f"{value:.2f}%" if found.unit == "%" else f"{value:,.0f} {found.unit}"


def amount(found: PortfolioRisk, value: float) -> str:
    """The same with its sign and without the unit, for a column."""
    return f"{value:+.2f}" if found.unit == "%" else f"{value:+,.0f}"


def _days(found: PortfolioRisk, width: int) -> Table:
    places = sorted({round(part * (found.days - 1) / (_DAYS - 1)) for part in range(_DAYS)})
    columns = {"day": [str(place + 1) for place in places], "date": [found.dates[place] for place in places]}
    for level in _SHOWN:
        column = found.profits[:, found.levels.index(level)]
        columns[f"{level:.0%}"] = [amount(found, column[place]) for place in places]
    return table(fitting(columns, width, ("25%", "75%", "date")), left=("date",))


def figures(found: PortfolioRisk) -> Iterator[str]:
    """Value at risk, expected shortfall, deviation and drawdown, a sentence each."""
    level, days = f"{found.level:g}%", f"{found.days} day{'s' * (found.days > 1)}"
    of_value = f" ({found.value_at_risk / found.base:.1%} of the value)" if found.base and found.unit != "%" else ""
    yield f"Value at risk, {days}, {level}: {money(found, found.value_at_risk)}{of_value}, exceeded in {_once(found)}."
    yield f"Expected shortfall, the mean of those cases: {money(found, found.expected_shortfall)}."
    volatile = "" if found.volatility is None else f", {found.volatility:.0%} a year"
    yield f"Standard deviation {money(found, found.deviation)}{volatile}."
    median, bad = (money(found, fall) for fall in found.drawdown)
    yield f"Worst fall from a high on the way: {median} in the median, {bad} or more in {_once(found)}."


def _once(found: PortfolioRisk) -> str:
    return f"one case of {100 / (100 - found.level):.0f}"


def holding_columns(found: PortfolioRisk) -> dict[str, list[str]]:
    """The holdings and what each adds: texts by heading."""
    columns = {
        "ticker": [one.ticker for one in found.holdings],
        "shares": [f"{one.shares:,.6g}" for one in found.holdings],
        "close": [f"{price_text(one.price, one.price)} {one.currency}" for one in found.holdings],
        "value": [_plain(found, one.value) for one in found.holdings],
        "alone": [_plain(found, one.alone) for one in found.holdings],
        "contribution": [_plain(found, one.contribution) for one in found.holdings],
        "share": [share(one.share) for one in found.holdings],
    }
    if found.unit == "%":
        del columns["shares"]
    return columns


def _plain(found: PortfolioRisk, value: float) -> str:
    return f"{value:.2f}" if found.unit == "%" else f"{value:,.0f}"


def together(found: PortfolioRisk) -> str:
    """What the columns of the holdings mean, and what holding them together saves."""
    parts = "Alone and contribution are of the expected shortfall; contributions add up to it."
    return f"{parts} {saved}" if (saved := saving(found)) else parts


def saving(found: PortfolioRisk) -> str:
    """What holding several together saves; empty for one."""
    if len(found.holdings) < 2:
        return ""
    whole = found.diversification + found.expected_shortfall
    fraction = f" ({found.diversification / whole:.0%})" if whole > 0 else ""
    return f"Holding them together saves {money(found, found.diversification)}{fraction}."


def backtest_columns(found: PortfolioRisk) -> dict[str, list[str]]:
    """What values at risk of this portfolio did in the past, beside the usual ways: texts by heading."""
    rows = found.tests
    return {
        "method": [one.method for one in rows],
        "days": [str(one.horizon) for one in rows],
        "windows": [str(one.test.days) for one in rows],
        "exceptions": [str(one.test.exceptions) for one in rows],
        "due": [f"{one.test.expected:.1f}" for one in rows],
        "Kupiec p": [chance(one.test.kupiec) for one in rows],
        "Christoffersen p": [chance(one.test.christoffersen, "–") for one in rows],
        "ES": [f"{one.test.shortfall:+.2f}" for one in rows],
        "pinball, bp": [f"{1e4 * one.pinball:.1f}" for one in rows],
    }


def backtest_words(columns: Collection[str]) -> Iterator[str]:
    """What the columns of a backtest mean, for those that are shown."""
    yield "Exceptions: losses beyond the value at risk; due: how many were promised."
    if "Kupiec p" in columns:
        independence = " or their independence (Christoffersen)" if "Christoffersen p" in columns else ""
        yield f"A p below 0.05 speaks against their number (Kupiec){independence}."
    if "ES" in columns:
        yield "ES: 0 as promised, negative if losses beyond were larger."
    if "pinball, bp" in columns:
        yield "Pinball: lower is better."


def _rest(columns: Collection[str], shown: Collection[str]) -> Iterator[str]:
    if left := [name for name in columns if name not in shown]:
        yield f"A wider window or --format json has the rest: {', '.join(left)}."


def standing(found: PortfolioRisk) -> str:
    """What the run's test says of single tickers."""
    held = [one["held"] for one in found.held if abs(one["band"] - 0.8) < 1e-6 and one["step"] <= found.days]
    parts = [f"Run {found.run}."]
    if held:
        low, high = min(held), max(held)
        bands = f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"
        parts.append(f"In its test the 80% bands of single closes held {bands}.")
    elif found.in_sample:
        parts.append("In-sample: its weights have seen the days after this one.")
    return " ".join(parts)
