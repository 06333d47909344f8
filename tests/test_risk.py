"""`forecast risk`: holdings as they are given, a portfolio's figures, several currencies, and every refusal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.modelfile import TAILS
from forecaster.positions.exceptions import RiskTest
from forecaster.positions.given import holdings_of
from forecaster.positions.holdings import Holdings, parse_pairs
from forecaster.positions.holdingsfile import read_holdings
from forecaster.runs import portfoliotest
from forecaster.runs.portfolio import PortfolioRisk
from forecaster.show.output import present
from forecaster.show.risk import risk_view
from forecaster.tensorfile import load_tensors, save_tensors
from forecaster.workflows.risk import risk
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, bars

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., PortfolioRisk]


@pytest.fixture
def ask(store: Path, trained: TrainedRun) -> Ask:
    def run(holdings: object, *, data_dir: Path = store, **options: object) -> PortfolioRisk:
        wanted = {"days": 3, "paths": 2_000, "offline": True} | options
        return risk(holdings, run=str(trained.folder), data_dir=data_dir, **wanted)  # type: ignore[arg-type]

    return run


def test_pairs_split_at_the_last_sign() -> None:
    found = parse_pairs(["AAPL=100", "EURUSD=X=1000", "ibm=-20", "AAPL=5", "cash=12.5"])
    assert found == Holdings({"AAPL": 105.0, "EURUSD=X": 1000.0, "IBM": -20.0}, 12.5)


def test_weights_leave_the_rest_as_cash() -> None:
    assert parse_pairs(["AAPL=0.6", "IBM=0.3"], weights=True).cash == pytest.approx(0.1)
    assert parse_pairs(["AAPL=1"], weights=True).cash == 0
    assert parse_pairs(["AAPL=1.2", "IBM=-0.4"], weights=True).cash == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("texts", "weights", "message"),
    [
        (["AAPL"], False, "'AAPL' is neither a file nor TICKER=SHARES: expected a CSV, or such as AAPL=100"),
        (["AAPL=many"], False, "'AAPL=many' is neither a file nor TICKER=SHARES"),
        (["=5"], False, "'=5' is neither a file nor TICKER=SHARES"),
        (["AAPL=nan"], False, "AAPL=nan: expected a number of shares"),
        (["AAPL=1e308"], False, r"AAPL=1e\+308: expected a number of shares, 1e\+15 at most"),
        (["AAPL=1", "cash=inf"], False, "cash=inf: expected an amount of money"),
        (["AAPL=nan"], True, "AAPL=nan: expected a weight, such as 0.6"),
        (["AAPL=0", "cash=5"], False, "there are no holdings"),
        (["A B=3"], False, "'A B' is not a ticker symbol"),
        (["AAPL=0.8", "IBM=0.4"], True, "the weights add to 1.2: expected 1 at most, as 0.6 for 60%"),
    ],
)
def test_pairs_that_cannot_be_used(texts: list[str], weights: bool, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        parse_pairs(texts, weights)


def test_a_csv_may_have_other_columns_and_empty_lines(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text(
        "\ufeffName, Ticker, Shares\nApple, aapl, 100\n,,\nIBM, IBM, -3\nMoney, cash, 50\n", encoding="utf-8"
    )
    assert read_holdings(file) == Holdings({"AAPL": 100.0, "IBM": -3.0}, 50.0)
    file.write_text("ticker,weight\nAAPL,0.5\n", encoding="utf-8")
    assert read_holdings(file) == Holdings({"AAPL": 0.5}, 0.5, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'Symbol,Description,Qty\nAAPL,Apple,"1,000"\nibm,IBM,(20)\nCash & Cash Investments,,"$2,500.50"\n',
            (1000.0, -20.0, 2500.5),
        ),
        ("\ufeffTicker;Quantity;Name\nAAPL;1.000,5;x\nIBM;-3;y\n\nCash;12,25;z\n", (1000.5, -3.0, 12.25)),
        ("Account 7;x\nas of 28 Nov\n\nsymbol\tPosition\nAAPL\t10\nIBM\t1 000\ncash\t0\n", (10.0, 1000.0, 0.0)),
        ("ticker,shares\nAAPL,1e3\nIBM,+.5\n", (1000.0, 0.5, 0.0)),
        ("Symbol\tQty\nAAPL\t1.500\nIBM\t2,5\ncash\t0\n", (1500.0, 2.5, 0.0)),
        (
            '"Symbol","Qty (Quantity)","Mkt Val (Market Value)"\n"AAPL","10","$4,304.70"\n"IBM","-2","-$400"\n'
            '"Cash & Cash Investments","--","$2,500.50"\n',
            (10.0, -2.0, 2500.5),
        ),
        ("Symbol;Qty;Market Value\nAAPL;10,5;4304,7\nIBM;-2;-400\nCash;;12,25\n", (10.5, -2.0, 12.25)),
    ],
    ids=["comma", "semicolon", "tab", "plain", "tab with decimal commas", "cash by its value", "the same in Europe"],
)
def test_a_csv_is_read_as_brokers_and_spreadsheets_write_it(
    tmp_path: Path, text: str, expected: tuple[float, float, float]
) -> None:
    file = tmp_path / "held.csv"
    file.write_text(text, encoding="utf-8")
    aapl, ibm, cash = expected
    assert read_holdings(file) == Holdings({"AAPL": aapl, "IBM": ibm}, cash)


@pytest.mark.parametrize(
    "text",
    [
        "Ticker,Weight %\nAAPL,60\nIBM,30\nCash,10\n",
        "ticker;weight\nAAPL;0,6\nIBM;0,3\n",
        "ticker,weight\nAAPL,60%\nIBM,0.3\n",
    ],
)
def test_weights_may_be_per_cents(tmp_path: Path, text: str) -> None:
    file = tmp_path / "held.csv"
    file.write_text(text, encoding="utf-8")
    found = read_holdings(file)
    assert found.weights
    assert found.amounts == pytest.approx({"AAPL": 0.6, "IBM": 0.3})
    assert found.cash == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has the columns none: expected ticker .or symbol., and either shares"),
        ("ticker,amount\nAAPL,1\n", "has the columns ticker, amount"),
        (
            "Account: 123\nSymbol,Amount\nAAPL,1\n",
            "has the columns symbol, amount: expected ticker .or symbol., and either shares",
        ),
        ("Account: 123\nName,Amount,Currency\n", "has the columns name, amount, currency: expected"),
        ("Ticker,Symbol,Qty\nA,A,1\n", "has two columns of tickers: ticker, symbol. Keep one of them"),
        ("ticker,shares\nAAPL,ten\n", "line 2: 'ten' is not a number"),
        ("ticker,shares\nAAPL,1\nIBM,\n", "line 3: '' is not a number"),
        ("ticker,shares\nAAPL,nan\n", "line 2: 'nan' is not a number"),
        ("Symbol,Qty\nAAPL,1\nAccount Total,1\n", "line 3: 'Account Total' is a total, no holding: delete the row"),
        ("Symbol,Qty\nAAPL,1\n,1\n", "line 3 has no ticker: name it"),
        ("Symbol,Qty\nApple Inc,1\n", "line 2: 'Apple Inc' is not a ticker symbol"),
        ("Symbol;Qty\nAAPL;1,000\nIBM;2\n", "line 2: '1,000' may be 1 or 1000: write it without separators"),
        ("Symbol;Qty\nAAPL;1,5\nIBM;2.5\n", "line 2: '1,5' is not a number"),
        ("Symbol\tQty\nAAPL\t1.500\nIBM\t2\n", "line 2: '1.500' may be 1500 or 1.5: write it without separators"),
        ("Symbol,Qty\nCash,--\nIBM,2\n", "line 2: 'Cash' has no amount: write it in the column qty, or delete the row"),
        ("Symbol,Qty,Value\nIBM,2,9\nCash,,--\n", "line 3: 'Cash' has no amount: write it in the column qty"),
        ("Symbol,Weight,Value\nIBM,0.5,9\nCash,--,9\n", "line 3: 'Cash' has no amount: write it in the column weight"),
        ("Symbol,Qty\nAAPL,1\nIBM,--\n", "line 3: '--' is not a number: expected a number such as 100 for IBM"),
        ("Symbol,Quantity,Shares\nIBM,2,2\n", "has two columns of amounts: quantity, shares. Keep one of them"),
        ("ticker,weight\nAAPL,60\n", "the weights add to 60: expected 1 at most, as 0.6 for 60%"),
        ("ticker,weight %\nAAPL,60\nIBM,50\n", "the weights add to 1.1"),
    ],
)
def test_a_csv_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "held.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_holdings(file)


def test_shares_come_before_weights_unless_weights_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text("Symbol,Quantity,Weight %\nAAPL,10,60\nIBM,5,40\n", encoding="utf-8")
    assert read_holdings(file) == Holdings({"AAPL": 10.0, "IBM": 5.0})
    found = read_holdings(file, weights=True)
    assert found.weights
    assert found.amounts == pytest.approx({"AAPL": 0.6, "IBM": 0.4})


def test_cash_in_capitals_is_a_bank_and_the_output_says_so(
    store: Path, trained: TrainedRun, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    bank = Store(tmp_path)
    bank.write(replace(Store(store).read("AAPL"), ticker="CASH"), source="test")
    places = ("--run", trained.folder, "--data-dir", tmp_path, "--days", 3)
    answer = say("risk", "CASH=25", "cash=10", *places)
    assert answer.code == 0, answer.err
    message = "CASH is the ticker of a bank, and counted as its shares: money is cash, in lower case."
    assert message in " ".join(answer.err.split())
    assert Holdings.of({"AAPL": 1, "cash": 5}.items()).notes == ()


def test_decimals_are_numbers() -> None:
    assert Holdings.of({"AAPL": Decimal("10.5"), "cash": Decimal(3)}.items()) == Holdings({"AAPL": 10.5}, 3.0)
    for wrong in ("NaN", "sNaN", "Infinity"):
        with pytest.raises(InputError, match=r"AAPL=(nan|inf): expected a number of shares"):
            Holdings.of({"AAPL": Decimal(wrong)}.items())


def test_a_series_is_held_like_a_dict_and_anything_else_is_refused(ask: Ask) -> None:
    import pandas as pd

    series = pd.Series({"AAPL": 10, "IBM": 20.5, "cash": 500})
    assert holdings_of(series) == holdings_of(series.to_dict()) == Holdings({"AAPL": 10.0, "IBM": 20.5}, 500.0)
    wrong: list[tuple[object, str]] = [
        (pd.DataFrame({"AAPL": [1]}), "holdings are a DataFrame: give one column of it"),
        (pd.Series({"AAPL": float("nan")}), "AAPL=nan: expected a number of shares"),
        (pd.Series([1, 2]), "0 is not a ticker symbol: expected a text, such as AAPL"),
        ({"AAPL": "ten"}, "AAPL='ten': expected a number of shares"),
        ({"AAPL": None}, "AAPL=None: expected a number of shares"),
        ({}, "there are no holdings"),
    ]
    for given, message in wrong:
        with pytest.raises(InputError, match=message):
            ask(given)


def test_weights_of_a_csv_of_shares_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text("ticker,qty\nAAPL,10\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"--weights, but .*held.csv has a column qty: name it weight, or omit --weights"
    ):
        holdings_of(file, weights=True)


def test_figures_of_a_portfolio_belong_together(ask: Ask, store: Path) -> None:
    found = ask({"AAPL": 10, "IBM": 20, "cash": 500})
    closes = [float(Store(store).read(name).close[-1]) for name in ("AAPL", "IBM")]
    assert found.value == pytest.approx(10 * closes[0] + 20 * closes[1] + 500)
    assert (found.unit, found.cash, found.days, found.complete) == ("USD", 500, 3, True)
    assert found.dates == ("2013-03-04", "2013-03-05", "2013-03-06")
    assert 0 < found.value_at_risk < found.expected_shortfall < found.value
    assert found.value_at_risk == pytest.approx(-found.profits[-1, 0])
    assert sum(one.contribution for one in found.holdings) == pytest.approx(found.expected_shortfall)
    assert sum(one.share or 0 for one in found.holdings) == pytest.approx(1)
    assert found.diversification == pytest.approx(sum(one.alone for one in found.holdings) - found.expected_shortfall)
    assert found.diversification > 0
    assert (np.diff(found.profits, axis=1) > 0).all()
    assert (np.diff(found.profits[:, 0]) < 0).all(), "risk grows with the days"
    assert 0 < found.drawdown[0] < found.drawdown[1]
    assert found.volatility == pytest.approx(found.deviation / found.value * np.sqrt(252 / 3))


def test_one_holding_has_the_quantiles_of_its_forecast(ask: Ask, store: Path, trained: TrainedRun) -> None:
    from forecaster.workflows.predict import predict

    (forecast,) = predict("AAPL", run=str(trained.folder), data_dir=store)
    found = ask({"AAPL": 1})
    expected = forecast.prices[:, 3] - forecast.last_close
    np.testing.assert_allclose(found.profits, expected, atol=2e-3 * forecast.last_close)
    assert found.value_at_risk == pytest.approx(-expected[-1, 0], rel=0.02)
    assert found.diversification == pytest.approx(0)


def test_a_short_position_gains_where_a_long_one_loses(ask: Ask) -> None:
    long, short, both = ask({"AAPL": 10}), ask({"AAPL": -10}), ask({"AAPL": 10, "IBM": -20})
    np.testing.assert_allclose(short.profits, -long.profits[:, ::-1], atol=0.3)
    assert short.value < 0
    assert short.volatility is None
    alone = sum(one.alone for one in both.holdings)
    assert both.expected_shortfall < 0.95 * alone, "a hedge"


def test_weights_give_per_cent_and_cash_softens(ask: Ask) -> None:
    whole, half = ask({"AAPL": 1.0}, weights=True), ask({"AAPL": 0.5}, weights=True)
    assert (whole.unit, whole.value, half.cash) == ("%", 100, 50)
    assert half.value_at_risk == pytest.approx(whole.value_at_risk / 2)
    assert whole.value_at_risk == pytest.approx(100 * ask({"AAPL": 1}).value_at_risk / ask({"AAPL": 1}).value)


def test_more_shares_lose_in_proportion(ask: Ask) -> None:
    one, ten = ask({"AAPL": 1, "IBM": 2}), ask({"AAPL": 10, "IBM": 20})
    assert ten.expected_shortfall == pytest.approx(10 * one.expected_shortfall)


def test_as_of_knows_nothing_later(ask: Ask, store: Path, tmp_path: Path) -> None:
    then = Store(tmp_path)
    for name in ("AAPL", "IBM"):
        then.write(Store(store).read(name).between(end=np.datetime64("2012-06-29")), source="then")
    held = {"AAPL": 1, "IBM": 2}
    assert ask(held, as_of="2012-06-29").as_data() == ask(held, data_dir=tmp_path).as_data()


def test_the_level_99_needs_tails(ask: Ask, store: Path, trained: TrainedRun, tmp_path: Path) -> None:
    found = ask({"AAPL": 1}, level=99, paths=20_000)
    assert found.value_at_risk > 1.2 * ask({"AAPL": 1}).value_at_risk
    tensors, header = load_tensors(trained.folder / "model.safetensors")
    del tensors[TAILS]
    (tmp_path / "old").mkdir()
    save_tensors(tmp_path / "old" / "model.safetensors", tensors, header)
    old = {"run": "old", "runs_dir": tmp_path, "data_dir": store, "days": 3}
    message = "--level is 99, but run old has no fit of the tails beyond 5 and 95% for AAPL: choose --level 95 or less"
    with pytest.raises(InputError, match=message):
        risk({"AAPL": 1}, level=99, **old)  # type: ignore[arg-type]
    assert any("taken as exponential" in text for text in risk({"AAPL": 1}, **old).notes)  # type: ignore[arg-type]


def euros(store: Path, tmp_path: Path, currency: str, rate: str | None) -> Path:
    """A store with AAPL, a stock in another currency, and perhaps a rate."""
    folder = tmp_path / "mixed"
    mixed, apple = Store(folder), Store(store).read("AAPL")
    mixed.write(apple, source="test")
    rows = len(apple)
    foreign = bars("SAP.DE", rows, seed=5)
    days = {"dates": apple.dates}
    mixed.write(replace(foreign, currency=currency, **days), source="test")
    if rate:
        flat = np.full(rows, 1.25) * np.exp(1e-4 * np.random.default_rng(1).standard_normal(rows).cumsum())
        near = {"open": flat, "high": flat * 1.0001, "low": flat / 1.0001, "close": flat, "adj_close": flat}
        mixed.write(replace(foreign, ticker=rate, currency="USD", **days, **near), source="test")
    return folder


def test_another_currency_needs_its_rate_and_is_converted(ask: Ask, store: Path, tmp_path: Path) -> None:
    folder = euros(store, tmp_path, "EUR", "EURUSD=X")
    mixed = Store(folder)
    rate, price = (float(mixed.read(name).close[-1]) for name in ("EURUSD=X", "SAP.DE"))
    found = ask({"AAPL": 1, "SAP.DE": 10}, data_dir=folder)
    apple, sap = found.holdings
    assert found.unit == "USD"
    assert (sap.currency, sap.price) == ("EUR", price)
    assert sap.value == pytest.approx(10 * price * rate)
    inverse = ask({"SAP.DE": 10, "AAPL": 1}, data_dir=folder)
    assert inverse.unit == "EUR"
    assert inverse.value == pytest.approx(found.value / rate)
    assert inverse.expected_shortfall == pytest.approx(found.expected_shortfall / rate, rel=0.08)
    assert apple.value == pytest.approx(float(mixed.read("AAPL").close[-1]))


def test_pence_are_a_hundredth(ask: Ask, store: Path, tmp_path: Path) -> None:
    folder = euros(store, tmp_path, "GBp", "GBPUSD=X")
    mixed = Store(folder)
    rate, price = (float(mixed.read(name).close[-1]) for name in ("GBPUSD=X", "SAP.DE"))
    assert ask({"AAPL": 1, "SAP.DE": 10}, data_dir=folder).holdings[1].value == pytest.approx(price * rate / 10)
    assert ask({"SAP.DE": 10}, data_dir=folder).unit == "GBP"


def test_a_rate_that_is_missing_is_named(ask: Ask, store: Path, tmp_path: Path) -> None:
    folder = euros(store, tmp_path, "EUR", None)
    message = (
        r"SAP.DE is in EUR, the portfolio in USD, and the store has no EURUSD=X: fetch it \(forecast fetch EURUSD=X\)"
    )
    with pytest.raises(InputError, match=message):
        ask({"AAPL": 1, "SAP.DE": 10}, data_dir=folder)


def test_candles_that_end_earlier_are_reported_and_exit_with_3(
    store: Path, trained: TrainedRun, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    late = Store(tmp_path)
    late.write(Store(store).read("AAPL"), source="test")
    late.write(Store(store).read("IBM").between(end=np.datetime64("2013-02-20")), source="test")
    places = ("--run", trained.folder, "--data-dir", tmp_path, "--days", 3)
    answer = say("risk", "AAPL=1", "IBM=1", *places, "--format", "json")
    assert answer.code == 3
    assert "IBM's candles end on 2013-02-20, others' on 2013-03-01" in " ".join(answer.err.split())
    assert json.loads(answer.out)["origin"] == "2013-03-01"
    assert say("risk", "AAPL=1", *places).code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no holdings"),
        (("AAPL=1", "NIX=1"), "Unknown ticker 'NIX'"),
        (("AAPL=1", "--days", "4"), "--days is 4, but run small has paths of the steps 1 to 3: choose one of them, or"),
        (("AAPL=1", "--level", "99.5"), "--level is 99.5: expected a per cent above 50 and up to 99, such as 95"),
        (("AAPL=1", "--level", "0.95"), "--level is 0.95: expected a per cent above 50"),
        (("AAPL=0.8", "IBM=0.3", "--weights"), "the weights add to 1.1"),
        (("missing.csv",), "'missing.csv' is neither a file nor TICKER=SHARES"),
        (("AAPL=1", "--as-of", "2000-03-01"), "AAPL has"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], message: str, store: Path, trained: TrainedRun, say: Callable[..., Answer]
) -> None:
    answer = say(
        "risk",
        *words,
        "--offline",
        "--run",
        trained.folder,
        "--data-dir",
        store,
        *([] if "--days" in words else ["--days", 3]),
    )
    assert (answer.code, answer.out) == (2, "")
    assert message in " ".join(answer.err.split())


def test_the_screen_and_the_data_say_the_same(store: Path, trained: TrainedRun, say: Callable[..., Answer]) -> None:
    places = ("--run", trained.folder, "--data-dir", store, "--days", 3)
    screen, data, rows = (
        say("risk", "AAPL=10", "IBM=5", *places, "--format", kind) for kind in ("table", "json", "csv")
    )
    assert (screen.code, data.code, rows.code) == (0, 0, 0)
    found = json.loads(data.out)
    assert f"{found['value_at_risk']:,.0f} USD" in screen.out
    assert f"{found['expected_shortfall']:,.0f} USD" in screen.out
    assert "In its test the 80% bands of single closes held" in " ".join(screen.out.split())
    long = list(csv.DictReader(io.StringIO(rows.out)))
    (risked,) = [row for row in long if row["quantity"] == "value_at_risk"]
    assert float(risked["value"]) == found["value_at_risk"]
    assert sum(float(row["value"]) for row in long if row["quantity"] == "contribution") == pytest.approx(
        found["expected_shortfall"]
    )


@pytest.mark.parametrize(
    "words",
    [
        ("risk", "AAPL=10", "IBM=5", "--days", "3"),
        ("odds", "AAPL", "--touch", "440", "--touch", "420", "--size", "1000", "--within", "3"),
        ("rank", "--all"),
    ],
    ids=lambda words: words[0],
)
def test_every_line_fits_a_narrow_terminal(
    words: tuple[str, ...],
    store: Path,
    trained: TrainedRun,
    say: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    answer = say(*words, "--run", trained.folder, "--data-dir", store)
    assert answer.code == 0, answer.err
    assert [line for line in answer.out.splitlines() if len(line) > 60] == []
    assert "…" not in answer.out


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_backtest_explains_the_columns_that_it_shows_and_says_where_the_rest_is(
    ask: Ask, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A heading that was cut would be in neither list."""
    monkeypatch.setenv("COLUMNS", str(width))
    tests = (
        portfoliotest.Tested("filtered historical simulation", 20, 0.0052, RiskTest(24, 30, 24.2, 0.24, 0.5, -0.1)),
    )
    present(risk_view(replace(ask({"AAPL": 1}), tests=tests)))
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if len(line) > width] == []
    (heading,) = [line for line in out.splitlines() if line.startswith("method ")]
    text = " ".join(out.split())
    _, _, rest = text.partition("A wider window or --format json has the rest: ")
    legend = {"windows": None, "Kupiec p": "(Kupiec)", "Christoffersen p": "(Christoffersen)", "ES": "ES: 0 as"}
    for name, word in (legend | {"pinball, bp": "Pinball: lower"}).items():
        shown = name in heading
        assert shown == (name not in rest), name
        assert word is None or shown == (word in text), name
    assert bool(rest) == (width < 120)


@pytest.mark.parametrize("code", ["banana", "\x1b[31m", "E1R"])
def test_a_currency_has_three_letters(ask: Ask, code: str) -> None:
    with pytest.raises(InputError, match="expected a code of three letters, such as USD"):
        ask({"AAPL": 1}, currency=code)


def test_a_csv_is_not_mixed_with_pairs(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text("ticker,shares\nAAPL,10\n", encoding="utf-8")
    with pytest.raises(InputError, match="given beside others: expected one CSV alone"):
        parse_pairs([str(file), "IBM=3"])


def test_a_csv_without_rows_has_no_holdings(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text("ticker,shares\n", encoding="utf-8")
    with pytest.raises(InputError, match="there are no holdings"):
        read_holdings(file)


def test_holdings_paid_for_by_a_debt_have_no_volatility(ask: Ask) -> None:
    """What is left of them is a rounding error, which nothing may be divided by."""
    cash = -ask({"AAPL": 10}).value
    found = ask({"AAPL": 10, "cash": cash + 1e-9})
    assert (found.base, found.volatility) == (None, None)
    assert found.value_at_risk > 0


def test_a_picture_and_a_page_hold_the_figures(
    store: Path, trained: TrainedRun, say: Callable[..., Answer], tmp_path: Path
) -> None:
    page, drawing, pixels = (tmp_path / f"risk.{kind}" for kind in ("html", "svg", "png"))
    places = ("--run", trained.folder, "--data-dir", store, "--days", 3)
    answer = say(
        "risk", "AAPL=10", "IBM=-5", *places, *(f"--plot={one}" for one in (page, drawing, pixels)), "--format", "json"
    )
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    text = page.read_text(encoding="utf-8")
    assert f"{found['value_at_risk']:,.0f} USD" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    root = ElementTree.fromstring(drawing.read_text(encoding="utf-8"))
    words = {one.text for one in root.iter() if one.text}
    assert {"AAPL", "IBM", "Profit and loss", "profit and loss [USD]"} <= words
    assert any(f"95%: {found['value_at_risk']:,.0f} USD" in text for text in words)
    assert pixels.read_bytes().startswith(b"\x89PNG")
    refused = say("risk", "AAPL=10", *places, "--plot", tmp_path / "risk.gif")
    assert (refused.code, refused.out) == (2, "")
    assert "expected .html, .png or .svg" in refused.err


def test_a_backtest_counts_exceptions_beside_the_usual_ways(ask: Ask) -> None:
    found = ask({"AAPL": 1, "IBM": 2, "MSFT": 3}, backtest=True)
    methods = [(one.method, one.horizon) for one in found.tests]
    assert len(set(methods)) == len(methods) == 8
    assert {horizon for _, horizon in methods} == {1, 3}
    ours = found.tests[0]
    assert ours.method == "joint paths"
    assert ours.test.days > 600
    assert ours.test.expected == pytest.approx(ours.test.days * 0.05)
    assert 0.02 < ours.test.exceptions / ours.test.days < 0.09
    assert all(0 < one.pinball < 0.05 for one in found.tests)
    assert any("Tested on" in text and "in-sample" not in text for text in found.notes)


def test_a_backtest_with_too_few_days_is_refused(ask: Ask) -> None:
    with pytest.raises(InputError, match="FB has"):
        ask({"AAPL": 1, "FB": 1}, backtest=True)
