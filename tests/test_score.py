"""Forecasts held against what came: by whom, from when, and whatever happened to the prices in between."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import forecaster
from forecaster.baselines import FORMULAS, REFERENCE, FittedBaseline
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.evaluation.entries import NAMES, Entry, to_sql
from forecaster.evaluation.entryreader import entries_of_rows
from forecaster.evaluation.journal import JOURNAL, append, entries_of, read
from forecaster.evaluation.metrics import pinball
from forecaster.evaluation.outcomes import LATE, LEARNT, UNKNOWN, WAITING, outcomes
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.workflows.predict import predict
from forecaster.workflows.score import TrackRecord
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

TICKERS = ("AAPL", "IBM", "MSFT")
NIGHT = dt.timedelta(hours=22)


def said(store: Path, run: Path, days: Sequence[np.datetime64], *, live: bool = True) -> list[Entry]:
    """What the run says on some days, made in the evening of each."""
    entries: list[Entry] = []
    for day in days:
        date = day.astype(dt.date)
        forecasts = predict(TICKERS, run=str(run), data_dir=store, as_of=date)
        made = dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC) + NIGHT
        entries += entries_of(forecasts, run / "model.safetensors", as_of=not live, now=made)
    return entries


@pytest.fixture(scope="module")
def days(store: Path) -> np.ndarray:
    """Forty sessions after the run's test."""
    dates = Store(store).read("IBM").dates
    return dates[dates > np.datetime64("2011-07-31")][:40]


@pytest.fixture(scope="module")
def entries(
    store: Path, trained: TrainedRun, days: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> list[Entry]:
    """Live forecasts of three tickers on forty days."""
    run = Path(shutil.copytree(trained.folder, tmp_path_factory.mktemp("told") / "small"))
    return said(store, run, days)


@pytest.fixture
def journal(trained: TrainedRun, tmp_path: Path) -> Path:
    """An empty journal beside a copy of the run."""
    shutil.copytree(trained.folder, tmp_path / "runs" / "small")
    return tmp_path / "runs" / JOURNAL


def score(journal: Path, store: Path, **options: str) -> TrackRecord:
    return forecaster.score(runs_dir=journal.parent, data_dir=store, **options)


def histories(store: Path) -> dict[str, Bars]:
    return {ticker: Store(store).read(ticker) for ticker in TICKERS}


def changed(store: Path, folder: Path, change: Callable[[Bars], Bars]) -> Path:
    for bars in histories(store).values():
        Store(folder).write(change(bars), source="test")
    return folder


def test_the_figures_are_those_of_the_candles_that_came(journal: Path, store: Path, entries: list[Entry]) -> None:
    append(journal, entries)
    record = score(journal, store)
    (row,) = [row for row in record.rows if row.by == "all"]
    assert (row.run, row.made, row.forecasts, row.dates, row.sessions, row.moved) == ("small", "live", 120, 40, 360, 0)
    bars = histories(store)
    losses = []
    for one in entries:
        logs = np.log(bars[one.ticker].adjusted())
        at = int(np.searchsorted(bars[one.ticker].dates, np.datetime64(one.origin)))
        assert str(bars[one.ticker].dates[at + one.step]) == one.date
        error = (logs[at + one.step] - logs[at, 3])[:, None] - one.quantiles
        levels = np.array(one.levels)
        losses.append(2 * np.maximum(levels * error, (levels - 1) * error).mean())
    assert row.pinball == pytest.approx(np.mean(losses), rel=1e-5)
    assert row.skill_last_close is not None
    assert 0 < row.skill_last_close < 0.2, "of medians, not of bands, which the last close has none of"
    assert row.hardest in FORMULAS
    assert row.skill_hardest is not None
    assert row.coverage80 is not None
    assert 0.5 < row.coverage80 < 1
    assert row.p_value is not None
    of = {by: [one.of for one in record.rows if one.by == by] for by in ("ticker", "month", "step")}
    assert of["ticker"] == list(TICKERS)
    assert of["step"] == ["1", "2", "3"]
    assert of["month"] == ["2011-08", "2011-09"]
    assert record.verdicts[0].code in ("skill", "no-evidence", "worse")
    assert "in 120 live forecasts from 40 days" in record.verdicts[0].text
    assert record.set_aside == ()


def test_the_reference_knows_nothing_later_than_the_origin(store: Path, entries: list[Entry]) -> None:
    last = [one for one in entries if one.origin == entries[-1].origin]
    known = {ticker: bars.between(end=np.datetime64(last[-1].date)) for ticker, bars in histories(store).items()}
    rows = [[to_sql(getattr(one, name)) for name in NAMES] for one in last]
    whole, cut = (outcomes(entries_of_rows(rows), candles) for candles in (histories(store), known))
    assert len(whole.cells) == len(cut.cells) == 9
    assert np.array_equal(whole.losses, cut.losses)
    panel = Panel.of([bars.between(end=np.datetime64(last[0].origin)) for bars in known.values()])
    dataset = Dataset(panel, compute_features(panel, ("base",)), (1, 2, 3))
    fitted = FittedBaseline.learnt(REFERENCE, dataset, Period(None, np.datetime64("2010-06-30")), last[0].levels)
    expected = fitted.bind(dataset)(panel.offsets[1:] - 1)
    logs = {ticker: np.log(bars.adjusted()) for ticker, bars in known.items()}
    moves = [logs[one.ticker][-4 + one.step] - logs[one.ticker][-4, 3] for one in last]
    losses = pinball(expected.reshape(9, 1, 4, 7), np.stack(moves)[:, None], last[0].levels)
    np.testing.assert_allclose(whole.losses[1].T, losses[:, 0], rtol=1e-9)


def test_a_split_and_a_dividend_in_between_change_nothing(
    journal: Path, store: Path, entries: list[Entry], days: np.ndarray, tmp_path: Path
) -> None:
    """On the day after an origin: two shares for one, and 3 % paid out, as a source tells it afterwards."""
    append(journal, entries)

    def paid(bars: Bars) -> Bars:
        after = bars.dates >= days[20]
        price = {name: np.where(after, getattr(bars, name) / 2 * 0.97, getattr(bars, name)) for name in PRICES}
        ex_day = bars.dates == days[20]
        return replace(
            bars,
            **price,
            adj_close=bars.adj_close * 0.3,
            dividend=np.where(ex_day, bars.close * 0.03 / 2, 0.0),
            split=np.where(ex_day, 2.0, 1.0),
        )

    before, after = score(journal, store), score(journal, changed(store, tmp_path / "paid", paid))
    for one, other in zip(before.rows, after.rows, strict=True):
        assert one.pinball == pytest.approx(other.pinball, rel=1e-9)
        assert one.coverage80 == other.coverage80
        assert one.skill_pinball == pytest.approx(other.skill_pinball, abs=1e-9)


PRICES = ("open", "high", "low", "close")


def test_a_session_that_never_came_moves_the_outcome_to_the_next(
    journal: Path, store: Path, entries: list[Entry], days: np.ndarray, tmp_path: Path
) -> None:
    append(journal, entries)
    shut = changed(store, tmp_path / "shut", lambda bars: without(bars, bars.dates == days[20]))
    (row,) = [row for row in score(journal, shut).rows if row.by == "all"]
    # Nine forecasts spoke of the day and the two before it of the next ones; those made on the day have no origin.
    assert row.moved == 3 * (3 + 2 + 1)
    assert row.sessions == 360 - 9
    assert [(one.reason, one.sessions) for one in score(journal, shut).set_aside] == [(UNKNOWN, 9)]


def without(bars: Bars, which: np.ndarray) -> Bars:
    columns = ("dates", *PRICES, "adj_close", "volume", "dividend", "split")
    return replace(bars, **{name: getattr(bars, name)[~which] for name in columns})


def test_a_hole_in_the_store_is_no_outcome(
    journal: Path, store: Path, entries: list[Entry], days: np.ndarray, tmp_path: Path
) -> None:
    append(journal, entries)
    hole = changed(
        store, tmp_path / "hole", lambda bars: without(bars, (bars.dates > days[10]) & (bars.dates <= days[25]))
    )
    aside = {one.reason: one.sessions for one in score(journal, hole).set_aside}
    assert aside == {UNKNOWN: 15 * 9, LATE: 3 * (3 + 2 + 1)}


def test_what_is_made_in_hindsight_is_never_live(
    journal: Path, store: Path, entries: list[Entry], days: np.ndarray
) -> None:
    late = [replace(one, made="2011-12-24T12:00:00+00:00") for one in entries]
    append(journal, late)
    append(journal, [replace(one, as_of=True) for one in entries if one.origin == str(days[3])])
    record = score(journal, store)
    assert {row.made for row in record.rows} == {"hindsight"}
    assert record.verdicts == ()


def test_the_same_forecast_live_and_in_hindsight_is_counted_once_in_each(
    journal: Path, store: Path, entries: list[Entry]
) -> None:
    append(journal, [*entries, *(replace(one, as_of=True) for one in entries)])
    append(journal, [replace(one, model="retrained-evaluated", made="2011-10-30T00:00:00+00:00") for one in entries])
    counts = [(row.made, row.forecasts) for row in score(journal, store).rows if row.by == "all"]
    assert counts == [("live", 120), ("hindsight", 120)]


@pytest.mark.parametrize(("count", "more"), [(12, 18), (29, 1)])
def test_too_few_are_not_judged(
    journal: Path, store: Path, entries: list[Entry], days: np.ndarray, count: int, more: int
) -> None:
    append(journal, [one for one in entries if one.origin <= str(days[count - 1])])
    (verdict,) = score(journal, store).verdicts
    assert (verdict.code, verdict.more_dates) == ("too-few", more)
    assert f"from {count} days are compared with actual prices, the least is 30: {more} more." in verdict.text


def test_days_to_come_are_waited_for(
    journal: Path, store: Path, entries: list[Entry], days: np.ndarray, tmp_path: Path
) -> None:
    append(journal, entries)
    young = changed(store, tmp_path / "young", lambda bars: bars.between(end=days[35]))
    record = score(journal, young)
    assert {one.reason: one.sessions for one in record.set_aside} == {UNKNOWN: 4 * 9, WAITING: 3 * (3 + 2 + 1)}
    assert record.next_day == str(days[36])
    (row,) = [row for row in record.rows if row.by == "all"]
    assert (row.forecasts, row.dates) == (35 * 3, 33), "a forecast counts as a date once all its sessions have come"


def test_days_that_the_run_has_learnt_from_are_not_scored(journal: Path, store: Path) -> None:
    run = journal.parent / "small"
    append(journal, said(store, run, [np.datetime64("2010-05-03"), np.datetime64("2010-06-29")]))
    record = score(journal, store)
    assert {(one.reason, one.live): one.sessions for one in record.set_aside} == {
        (LEARNT, True): 3 * 3 + 3,
        (LEARNT, False): 3 * 3 + 3,  # `predict` itself has kept what it said as of those days
    }
    assert [row.sessions for row in record.rows if row.by == "all"] == [6, 6]


def test_a_run_that_was_deleted_is_still_held_to_what_it_said(journal: Path, store: Path, entries: list[Entry]) -> None:
    append(journal, [*entries[:9], *(replace(one, run="other") for one in entries[:9])])
    shutil.rmtree(journal.parent / "small")
    assert {row.run for row in score(journal, store).rows} == {"small", "other"}
    assert {row.run for row in score(journal, store, run="small").rows} == {"small"}


def test_one_run_is_asked_for_as_elsewhere(journal: Path, store: Path, entries: list[Entry]) -> None:
    with pytest.raises(InputError, match="does not exist yet"):
        score(journal, store)
    append(journal, [replace(one, run="other") for one in entries[:9]])
    with pytest.raises(
        InputError, match=r"holds no forecast of run small: make one with forecast predict TICKER --run"
    ):
        score(journal, store, run="latest")
    with pytest.raises(UnknownNameError, match=r"Unknown run 'othr'. Did you mean 'other'\?"):
        score(journal, store, run="othr")


@pytest.fixture
def ask(say: Callable[..., Answer], journal: Path, store: Path) -> Callable[..., Answer]:
    return lambda *more: say("score", *more, "--data-dir", store, "--runs-dir", journal.parent)


def test_the_command_gives_table_and_data(
    ask: Callable[..., Answer], journal: Path, entries: list[Entry], tmp_path: Path
) -> None:
    append(journal, [*entries, *(replace(one, as_of=True) for one in entries[:90])])
    table = ask()
    assert table.code == 0
    for word in ("Live: made before the day", "In hindsight", "small", "2011-08", "AAPL", "step 2"):
        assert word in table.out
    data = json.loads(ask("--format", "json").out)
    assert data["reference"] == "ewma-random-walk"
    assert data["rows"][0]["forecasts"] == 120
    rows = list(csv.DictReader(io.StringIO(ask("--format", "csv").out)))
    assert len(rows) == len(data["rows"])
    assert ask("--format", "parquet", "--output", tmp_path / "x.parquet").code == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == len(rows)


def test_the_command_says_what_it_waits_for(ask: Callable[..., Answer], journal: Path, store: Path) -> None:
    predict(["IBM"], run=str(journal.parent / "small"), data_dir=store, runs_dir=journal.parent)
    assert len(read(journal)) == 3
    answer = ask()
    assert answer.code == 0
    assert "No forecast in the journal can be scored yet." in answer.out
    assert "3 hindsight sessions not scored: the store does not have their day yet." in answer.err
    assert ask("--format", "csv").code == 0


def test_a_broken_journal_is_one_line(ask: Callable[..., Answer], journal: Path) -> None:
    journal.write_text("no database" * 1000)
    for more in ((), ("--run", "small")):
        answer = ask(*more)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert "file is not a database): move it away" in answer.err
