"""`forecast rank`: the order, what it is by, and what cannot be ranked."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.workflows.predict import predict
from forecaster.workflows.rank import BY, rank
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, bars

pytest_plugins = ("tests.studio_fixtures",)


@pytest.mark.parametrize("by", BY)
def test_tickers_are_ordered_by_their_forecasts(store: Path, trained: TrainedRun, by: str) -> None:
    found = rank(by=by, days=3, run=str(trained.folder), data_dir=store)
    values = [getattr(row, by) for row in found.rows]
    assert values == sorted(values, reverse=True)
    assert [row.place for row in found.rows] == [1, 2, 3, 4, 5]
    assert {row.ticker for row in found.rows} == set(Store(store).tickers())
    (forecast,) = predict(found.rows[0].ticker, run=str(trained.folder), data_dir=store)
    top = found.rows[0]
    assert (top.range, top.volatility) == (forecast.range[2], forecast.volatility[2])
    assert top.loss == pytest.approx(1 - forecast.prices[2, 3, 0] / forecast.last_close)
    assert top.date == str(forecast.dates[2])


def test_bad_requests_are_refused(store: Path, trained: TrainedRun) -> None:
    with pytest.raises(UnknownNameError, match="Unknown ranking 'return'"):
        rank(by="return", run=str(trained.folder), data_dir=store)
    with pytest.raises(InputError, match="--days is 4, but run small has no bands of that step"):
        rank(days=4, run=str(trained.folder), data_dir=store)
    with pytest.raises(InputError, match="there are no tickers: name some, or omit them for the whole store"):
        rank([], run=str(trained.folder), data_dir=store)
    with pytest.raises(UnknownNameError, match="Unknown ticker 'NIX'"):
        rank(["AAPL", "NIX"], offline=True, run=str(trained.folder), data_dir=store)


def test_a_ticker_too_young_is_named_and_the_others_are_ranked(
    store: Path, trained: TrainedRun, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    mixed = Store(tmp_path)
    for name in ("AAPL", "IBM"):
        mixed.write(Store(store).read(name), source="test")
    mixed.write(bars("YOUNG", 30), source="test")
    places = ("--run", trained.folder, "--data-dir", tmp_path)
    answer = say("rank", "--all", *places, "--format", "json")
    assert answer.code == 3
    assert "YOUNG has 30 candles" in answer.err
    assert {row["ticker"] for row in json.loads(answer.out)["ranking"]} == {"AAPL", "IBM"}
    with pytest.raises(InputError, match="YOUNG has 30 candles"):
        rank(run=str(trained.folder), data_dir=tmp_path)
    alone = say("rank", "YOUNG", *places)
    assert (alone.code, alone.out) == (2, "")
    assert alone.err.count("error: ") == alone.err.count("error: YOUNG has 30 candles") == 1


def test_where_no_ticker_is_left_each_reason_is_reported_and_then_what_to_do(
    store: Path, trained: TrainedRun, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    young = Store(tmp_path)
    for name in ("YOUNG", "NEW"):
        young.write(bars(name, 30), source="test")
    answer = say("rank", "YOUNG", "NEW", "--run", trained.folder, "--data-dir", tmp_path)
    assert (answer.code, answer.out) == (2, "")
    errors = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert [line.split()[1] for line in errors] == ["YOUNG", "NEW", "no"]
    with pytest.raises(InputError, match="holds no candles"):
        rank(["AAPL"], offline=True, run=str(trained.folder), data_dir=tmp_path / "empty")


def test_the_screen_shows_the_order_and_says_what_no_ranking_knows(
    store: Path, trained: TrainedRun, say: Callable[..., Answer]
) -> None:
    places = ("--run", trained.folder, "--data-dir", store)
    screen, rows = (say("rank", "AAPL", "IBM", *places, "--format", kind) for kind in ("table", "csv"))
    assert (screen.code, rows.code) == (0, 0)
    first = next(csv.DictReader(io.StringIO(rows.out)))
    assert re.search(rf"^1 +{first['ticker']} ", screen.out, flags=re.MULTILINE)
    assert "2 tickers by the range of that day, 1 session ahead" in screen.out
    assert "Which will rise, no ranking knows." in " ".join(screen.out.split())
    answer = say("rank", *places)
    assert (answer.code, answer.out) == (2, "")
    assert "forecast rank needs a TICKER, --all or --tickers-file FILE" in answer.err
