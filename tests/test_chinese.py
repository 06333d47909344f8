"""The Chinese pages: their commands parse, their recipes for A-shares run, their figures are the English ones."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

from forecaster.cli.app import build
from forecaster.data.calendars import sessions
from forecaster.data.store import Store
from forecaster.data.symbols import normalise
from tests.studio import REPOSITORY, Answer

pytest_plugins = ("tests.studio_fixtures",)

README, ENGLISH = ((REPOSITORY / name).read_text(encoding="utf-8") for name in ("README.zh-CN.md", "README.md"))
PAGES = sorted([REPOSITORY / "README.zh-CN.md", *(REPOSITORY / "docs" / "zh").glob("*.md")])
HALT = slice(400, 420)
"""Sessions on which the stock was suspended."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


def commands(page: str) -> list[str]:
    return [line for block in blocks(page, "bash") for line in block.splitlines() if line.startswith("forecast ")]


@pytest.mark.parametrize(
    "line", sorted({line for page in PAGES for line in commands(page.read_text(encoding="utf-8"))})
)
def test_a_command_is_one_that_the_program_takes(line: str) -> None:
    command: Any = typer.main.get_command(build())
    words = shlex.split(line, comments=True)[1:]
    command.commands[words[0]].make_context(line, words[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"(?:\]\(|src(?:set)?=\")([^)\"]+)[)\"]", text):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in slugs, f"{target}: {sorted(slugs)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_paragraph_is_broken_where_chinese_has_no_space(page: Path) -> None:
    """A line end between two Chinese characters is shown as a space."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff，。、；：]\n[\u4e00-\u9fff]", text) == []


def test_figures_of_the_readme_are_the_english_ones() -> None:
    figures = set(re.findall(r"[+−]?\d+\.\d+%|\b\d{3}(?:\.\d)?\b", README.partition("## A 股")[0]))
    assert len(figures) > 10
    assert {figure for figure in figures if figure not in ENGLISH} == set()


def ashare() -> pd.DataFrame:
    """A stock in Shanghai: unadjusted, with a dividend of a tenth, a suspension, and days at the limit price."""
    days = sessions("XSHG", np.datetime64("2019-01-02"), np.datetime64("2023-06-30"))
    rng = np.random.default_rng(0)
    moves = np.clip(rng.normal(0, 0.02, len(days)), -0.1, 0.1)
    factor = np.where(np.arange(len(days)) < 600, 1.0, 1.1)
    close = 50 * np.exp(np.cumsum(moves)) / factor
    opens = close * np.exp(rng.normal(0, 0.005, len(days)))
    high, low = np.maximum(opens, close) * 1.005, np.minimum(opens, close) * 0.995
    for column in (opens, high, low):
        column[[300, 301]] = close[[300, 301]]  # at the limit all day: four equal prices
    prices = {"day": days, "open": opens, "high": high, "low": low, "close": close, "factor": factor}
    frame = pd.DataFrame(prices).round(dict.fromkeys(("open", "high", "low", "close"), 2))
    return frame.assign(vol=1000.0)


def tushare() -> Any:
    """What the library gives: newest first, and factors on the suspended days too."""
    frame = ashare()
    frame = frame.assign(ts_code="600519.SH", trade_date=frame["day"].dt.strftime("%Y%m%d"))
    prices = ["ts_code", "trade_date", "open", "high", "low", "close", "vol"]
    daily = frame.drop(index=range(HALT.start, HALT.stop))[prices].iloc[::-1].reset_index(drop=True)
    factors = frame.rename(columns={"factor": "adj_factor"})[["ts_code", "trade_date", "adj_factor"]].iloc[::-1]
    api = SimpleNamespace(daily=lambda ts_code: daily, adj_factor=lambda ts_code: factors)  # noqa: ARG005
    return SimpleNamespace(pro_api=lambda token: api)  # noqa: ARG005


def akshare() -> Any:
    """What the library gives: Chinese columns, oldest first, unadjusted or multiplied by all dividends so far."""

    def stock_zh_a_hist(symbol: str, period: str, adjust: str) -> pd.DataFrame:
        frame = ashare().drop(index=range(HALT.start, HALT.stop)).reset_index(drop=True)
        factor = {"": 1.0, "hfq": frame["factor"]}[adjust]
        prices = {name: frame[name] * factor for name in ("open", "close", "high", "low")}
        table = pd.DataFrame({"日期": frame["day"].dt.strftime("%Y-%m-%d"), "股票代码": symbol} | prices)
        names = {"open": "开盘", "close": "收盘", "high": "最高", "low": "最低"}
        return table.rename(columns=names).assign(成交量=1000)

    return SimpleNamespace(stock_zh_a_hist=stock_zh_a_hist)


@pytest.mark.parametrize("library", ["tushare", "akshare"])
def test_the_recipe_for_a_shares_works(
    library: str, say: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECASTER_DATA_DIR", raising=False)
    monkeypatch.delenv("FORECASTER_RUNS_DIR", raising=False)
    monkeypatch.setitem(sys.modules, library, {"tushare": tushare, "akshare": akshare}[library]())
    (code,) = (block for block in blocks(README, "python") if block.startswith(f"# {library}"))
    exec(compile(code, library, "exec"), {})
    after = README.partition(f"# {library}")[2]
    fetch, predict = (shlex.split(line)[1:] for line in commands(after)[:2])
    fetched = say(*fetch)
    assert fetched.code == 0, fetched.err
    ticker = normalise(predict[1])
    bars = Store(tmp_path / "data" / "store").read(ticker)
    assert (bars.calendar, bars.currency) == ("XSHG", "CNY")
    assert len(bars) == len(ashare()) - 20
    assert bars.adj_close[-1] == pytest.approx(bars.close[-1])
    returns = np.diff(np.log(bars.adj_close))
    assert np.abs(returns[575:585]).max() < 0.09, "the dividend is no fall"
    answer = say(*predict)
    assert answer.code == 0, answer.err
    assert "Not tested" in answer.out
    verified = say("data", "verify")
    assert verified.code == 3
    days = ashare()["day"].dt.date
    assert f"no candle between {days[HALT.start - 1]} and {days[HALT.stop]}" in verified.out, "the suspension"
