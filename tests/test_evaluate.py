"""Forecasts of one's own are scored as a run's are: same table, same verdict, a look counted; bad ones refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.config.schema import LEVELS
from forecaster.data.coherence import coherent
from forecaster.data.panel import Panel
from forecaster.errors import InputError, UnknownNameError
from forecaster.evaluation.ledgerfile import NAME
from forecaster.evaluation.rows import find
from forecaster.workflows.train import TrainedRun

pytest_plugins = ("tests.studio_fixtures",)

TICKERS, FITTED = ("AAPL", "IBM", "MSFT"), "2010-06-30"
Origins = list[tuple[str, np.datetime64]]


@pytest.fixture
def panel(store: Path) -> Panel:
    return forecaster.load_panel(TICKERS, data_dir=store)


def origins_of(panel: Panel, after: str, until: str) -> Origins:
    """Every session of a period, ticker after ticker."""
    found: Origins = []
    for ticker in panel.tickers:
        days = panel.sessions[panel.rows(ticker)]
        found += [(ticker, day) for day in days[(days > np.datetime64(after)) & (days <= np.datetime64(until))]]
    return found


@pytest.fixture
def origins(panel: Panel) -> Origins:
    return origins_of(panel, FITTED, "2011-06-23")


def fans(origins: Sequence[Any], horizon: int = 2, levels: Sequence[float] = LEVELS, width: float = 0.03) -> np.ndarray:
    """The same coherent fan at each origin."""
    shape = (len(origins), horizon, 4, len(levels))
    moves = np.broadcast_to(width * (np.array(levels) - 0.5), shape).copy()
    moves[..., 1, :] += width / 2
    moves[..., 2, :] -= width / 2
    return coherent(moves)


@pytest.fixture
def scored(store: Path, tmp_path: Path, origins: Origins) -> Any:
    """`forecaster.evaluate` of these origins; what is given replaces or adds."""

    def run(quantiles: Any = None, at: Any = None, **more: Any) -> Any:
        values = fans(origins) if quantiles is None else quantiles
        places = {"data_dir": store, "runs_dir": tmp_path}
        return forecaster.evaluate(values, origins if at is None else at, **{"fitted_to": FITTED, **places, **more})

    return run


def test_a_runs_own_forecasts_get_the_figures_of_its_own_scorecard(
    store: Path, trained: TrainedRun, runs_dir: Path, tmp_path: Path
) -> None:
    """The strictest check of scoring: what `train` reported, from the run's forecasts as an array."""
    card = trained.scorecard
    quantiles: list[np.ndarray] = []
    origins: Origins = []
    for ticker in TICKERS:
        outputs = forecaster.outputs(
            ticker, run="small", start=card.first, end=card.last, data_dir=store, runs_dir=runs_dir
        )
        quantiles.append(outputs.quantiles)
        origins += [(ticker, day) for day in outputs.dates]
    found = forecaster.evaluate(
        np.concatenate(quantiles), origins, fitted_to="2009-06-30", name="gru", data_dir=store, runs_dir=tmp_path
    ).scorecard
    assert (found.origins, found.first, found.last, found.horizon) == (
        card.origins,
        card.first,
        card.last,
        card.horizon,
    )
    for variable in ("open", "high", "low", "close", "mean"):
        ours = find(found.rows, "gru", variable, 1, card.reference)
        theirs = find(card.rows, "gru", variable, 1, card.reference)
        for figure in ("coverage80", "pinball", "skill_pinball", "p_value"):
            assert getattr(ours, figure) == pytest.approx(getattr(theirs, figure), rel=1e-5), figure


def test_a_formula_given_as_ones_own_is_no_better_than_itself(scored: Any, store: Path, origins: Origins) -> None:
    from forecaster.baselines import FittedBaseline
    from forecaster.data.splits import Period
    from forecaster.features.compute import compute_features
    from forecaster.features.dataset import Dataset

    panel = forecaster.load_panel(TICKERS, data_dir=store)
    dataset = Dataset(panel, compute_features(panel, ("base",)), (1, 2))
    har = FittedBaseline.learnt("har", dataset, Period(None, np.datetime64(FITTED)), LEVELS).bind(dataset)
    rows = np.array(
        [panel.rows(ticker).start + np.searchsorted(panel.sessions[panel.rows(ticker)], day) for ticker, day in origins]
    )
    shuffled = np.random.default_rng(0).permutation(len(rows))  # the order of the origins does not matter
    found = scored(har(rows[shuffled]), [origins[place] for place in shuffled])
    row = find(found.scorecard.rows, "own", "mean", "all", "har")
    assert row.skill_pinball == pytest.approx(0.0, abs=1e-9)
    assert found.verdict.code != "skill"


def test_prices_in_a_frame_are_the_same_forecasts(scored: Any, origins: Origins, panel: Panel) -> None:
    moves = fans(origins)
    rows = []
    for (ticker, day), candles in zip(origins, moves, strict=True):
        place = panel.rows(ticker).start + np.searchsorted(panel.sessions[panel.rows(ticker)], day)
        for step, variable, level in np.ndindex(candles.shape):
            value = panel.close[place] * np.exp(candles[step, variable, level])
            name = ("open", "high", "low", "close")[variable]
            rows.append((ticker, pd.Timestamp(day), step + 1, name, LEVELS[level], value))
    frame = pd.DataFrame(rows, columns=["ticker", "origin", "step", "variable", "level", "value"])
    by_frame, by_array = scored(frame.sample(frac=1, random_state=0), ()), scored(moves)
    for one, other in zip(by_frame.scorecard.rows, by_array.scorecard.rows, strict=True):
        assert (one.name, one.pinball is None) == (other.name, other.pinball is None)
        assert one.pinball is None or one.pinball == pytest.approx(other.pinball, rel=1e-6)
    with pytest.raises(InputError, match=r"the frame has \d+ quantiles, expected \d+, one for each of"):
        scored(frame.iloc[1:], ())
    with pytest.raises(InputError, match="the frame lacks the columns level, value"):
        scored(frame[["ticker", "origin", "step", "variable"]], ())
    with pytest.raises(UnknownNameError, match="Unknown variable 'clos'"):
        scored(frame.replace("close", "clos"), ())
    with pytest.raises(InputError, match="a price of the frame is -1, expected one above 0"):
        scored(frame.assign(value=-1.0), ())


def test_what_predict_gave_is_taken_as_it_is(store: Path, trained: TrainedRun, runs_dir: Path, scored: Any) -> None:
    days = ["2010-09-01", "2010-10-01", "2010-11-01"]
    given = [
        one
        for day in days
        for one in forecaster.predict(TICKERS, run="small", as_of=day, data_dir=store, runs_dir=runs_dir)
    ]
    found = scored(forecaster.to_frame(given), ())
    assert (found.scorecard.origins, found.scorecard.sessions) == (9, 3)
    assert trained.folder.exists()


def test_each_different_forecast_is_a_look_and_the_same_one_is_not(scored: Any, store: Path, origins: Origins) -> None:
    assert scored().looks == 1
    assert scored().looks == 1
    assert scored(fans(origins, width=0.04)).looks == 2
    lines = [json.loads(line) for line in (store / NAME).read_text().splitlines()]
    assert [line["by"] for line in lines if "by" in line] == ["evaluate own"] * 2


def test_the_table_has_every_formula_and_the_others_given(scored: Any, origins: Origins) -> None:
    found = scored(beside={"wider": fans(origins, width=0.05)})
    names = {row.name for row in found.scorecard.rows}
    formulas = {"ewma-random-walk", "ewma-garman-klass", "har", "climatology", "last-close"}
    assert names == {"own", "wider", *formulas}
    row = find(found.scorecard.rows, "own", "mean", "all", "wider")
    assert row.skill_pinball is not None
    assert row.p_value is not None
    frame = forecaster.to_frame(found)
    assert set(frame["name"]) == names
    assert "Evaluation(own: " in repr(found)
    assert "Forecasts own" in found._repr_html_()


def test_origins_before_the_last_date_learnt_make_it_in_sample(scored: Any) -> None:
    found = scored(fitted_to="2010-12-31")
    assert found.scorecard.in_sample == "2010-12-31"
    assert found.verdict.code != "skill"
    assert "In-sample" in found.verdict.text


def test_a_point_forecast_is_its_median_alone(scored: Any, origins: Origins) -> None:
    found = scored(np.zeros((len(origins), 1, 4, 1)), levels=(0.5,), steps=(5,))
    row = next(row for row in found.scorecard.rows if row.name == "own")
    assert row.coverage80 is None
    assert found.scorecard.horizon == (5,)


def test_origins_that_cannot_be_scored_are_left_out_with_a_note(scored: Any, panel: Panel, origins: Origins) -> None:
    last = [(ticker, panel.dates[-1]) for ticker in TICKERS]
    at = [*origins, *last]
    found = scored(fans(at), at)
    assert found.scorecard.origins == len(origins)
    assert found.scorecard.notes[0].startswith(f"3 of {len(at)} origins are left out: ")
    with pytest.raises(InputError, match="none of the 3 origins can be scored"):
        scored(fans(last), last)


def crossed(moves: np.ndarray) -> None:
    moves[7, 1, 3, 2] = moves[7, 1, 3, 1] - 0.001


def upside_down(moves: np.ndarray) -> None:
    moves[7, 0, 1] = moves[7, 0, 0] - 0.001


def above(moves: np.ndarray) -> None:
    moves[7, 0, 2] = moves[7, 0, 3] + 0.001


def as_price(moves: np.ndarray) -> None:
    moves += 56.14


def hole(moves: np.ndarray) -> None:
    moves[7, 0, 3, 0] = np.nan


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (crossed, r"close of AAPL from 2010-07-13 at step 2, level 0\.25 is .*, below that of a lower level: sort"),
        (
            upside_down,
            r"high of AAPL from 2010-07-13 at step 1, level 0\.05 is .*, below the open: .*\(7 such values\)",
        ),
        (above, r"low of AAPL from 2010-07-13 at step 1, level 0\.05 is .*, above the open: .* mends it"),
        (as_price, r"expected log\(price / close of the origin\): give the log, not the price"),
        (hole, r"close of AAPL from 2010-07-13 at step 1, level 0\.05 is nan, expected a finite number\."),
    ],
)
def test_bad_quantiles_are_one_line(scored: Any, origins: Origins, store: Path, spoil: Any, message: str) -> None:
    moves = fans(origins)
    spoil(moves)
    with pytest.raises(InputError, match=message) as error:
        scored(moves)
    assert "\n" not in str(error.value)
    assert not (store / NAME).exists(), "what is refused is no look"


def test_coherent_mends_what_is_refused(scored: Any, origins: Origins) -> None:
    moves = fans(origins)
    crossed(moves)
    above(moves)
    assert scored(coherent(moves)).looks == 1


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        (("AAPL", "2010-07-05"), InputError, "AAPL has no candle on 2010-07-05, .* the last one before is 2010-07-02"),
        (("AAPL", "1990-01-02"), InputError, "AAPL has no candle on 1990-01-02, .* its first is 2000-03-01"),
        (("APPL", "2010-07-06"), UnknownNameError, "Did you mean 'AAPL'"),
        (("AAPL", "2010-07-01"), InputError, "1 of .* origins are there twice: give each once"),
        (("AAPL", "yesterday"), InputError, "origin is 'yesterday', expected a date"),
        ("AAPL", InputError, r"origin 'AAPL': expected a ticker and a date, as in \('AAPL', '2012-06-29'\)"),
    ],
)
def test_unknown_origins_are_one_line(
    scored: Any, origins: Origins, place: Any, error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        scored(None, [*origins[:-1], place])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"levels": (0.1, 0.5, 0.9)}, r"quantiles has shape .*, expected \[\d+ origins, horizon, 4, 3 levels\]"),
        ({"levels": (0.05, 0.1, 0.25, 0.4, 0.75, 0.9, 0.95)}, "0.5 among them"),
        ({"steps": (2, 1)}, r"steps is \[2, 1\], expected 2 ascending numbers of sessions"),
        ({"fitted_to": "1999-01-01"}, "the formulas have only 0 outcomes up to then, expected 250"),
        ({"fitted_to": None}, "fitted_to is None, expected a date such as"),
        ({"name": "har"}, "name 'har' is that of a formula"),
        ({"beside": {"own": 0}}, "name is one of those in beside"),
    ],
)
def test_arguments_that_do_not_fit_are_one_line(scored: Any, origins: Origins, more: Any, message: str) -> None:
    if "beside" in more:
        more = {"beside": {"own": fans(origins)}}
    with pytest.raises(InputError, match=message):
        scored(**more)


def test_others_beside_have_the_same_steps(scored: Any, origins: Origins) -> None:
    with pytest.raises(InputError, match="beside has forecasts of other origins, steps or levels"):
        scored(beside={"longer": fans(origins, horizon=3)})


def test_quoted_prices_end_at_the_quoted_close_and_windows_list_their_origins(panel: Panel) -> None:
    assert panel.ohlc[0, -1, 3] == pytest.approx(56.14, abs=0.01)
    assert panel.quoted[0, -1, 3] == pytest.approx(430.47, abs=0.01)
    ratio = panel.quoted[0] / panel.ohlc[0]
    assert np.nanmax(ratio) == pytest.approx(np.nanmin(ratio), rel=1e-5)
    windows = forecaster.windows(panel, context=60)
    assert windows.origins()[:2] == [windows.origin(0), windows.origin(1)]
    assert len(windows.origins()) == len(windows)


def test_what_is_no_forecast_at_all_is_one_line(store: Path) -> None:
    with pytest.raises(InputError, match=r"quantiles is no array of numbers \(could not .*\): expected log moves"):
        forecaster.evaluate("abc", [("AAPL", "2010-07-06")], fitted_to="2010-06-30", data_dir=store)
    with pytest.raises(InputError, match="origins is empty, expected pairs of ticker and date"):
        forecaster.evaluate(np.zeros((0, 1, 4, 7)), fitted_to="2010-06-30", data_dir=store)
