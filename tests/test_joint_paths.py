"""Joint paths: their marginals, what moves together in them, short and foreign histories, and their seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.calendars import sessions
from forecaster.data.coherence import coherent
from forecaster.errors import InputError
from forecaster.inference.coupling import coherent_paths, coupled, draw_dates, ranks
from forecaster.inference.shrinkage import shrunk_correlation
from forecaster.inference.stretches import FEWEST, Stretches, require_stretches
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, assert_coherent, bars, futures, on_days, with_holes

pytest_plugins = ("tests.studio_fixtures",)

STEPS = 5


def market(count: int, rows: int, together: float = 0.8) -> list[Bars]:
    """Tickers whose daily returns have a common part: the correlation of any two is about `together`."""
    rng = np.random.default_rng(7)
    common = rng.standard_normal(rows)
    found = []
    for number in range(count):
        own = bars(f"T{number}", rows, seed=number)
        noise = np.sqrt(together) * common + np.sqrt(1 - together) * rng.standard_normal(rows)
        close = 100 * np.exp(np.cumsum(0.01 * noise))
        opened = np.concatenate([[100.0], close[:-1]]) * np.exp(0.004 * rng.standard_normal(rows))
        high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) / 1.002
        found.append(replace(own, open=opened, high=high, low=low, close=close, adj_close=close.copy()))
    return found


@pytest.fixture(scope="module")
def stretches() -> Stretches:
    return Stretches.of(market(3, 900), STEPS)


def forecast(stretches: Stretches, ticker: int = 0, width: float = 0.02) -> np.ndarray:
    """Quantiles of another shape than the stretches': narrower below, and shifted."""
    own = np.moveaxis(np.quantile(stretches.values(ticker, (0, 1, 2, 3)), LEVELS, axis=0), 0, -1)
    return coherent(width * np.where(own < 0, 0.6 * own, 1.3 * own) + 0.001)


def draw(stretches: Stretches, count: int, ticker: int = 0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """One ticker's paths, and the forecast that they follow."""
    quantiles = forecast(stretches, ticker)
    values, drawn = stretches.values(ticker, (0, 1, 2, 3)), draw_dates(count, len(stretches.dates), seed)
    return coupled(values, drawn, quantiles, LEVELS, None, ticker=f"T{ticker}", seed=seed), quantiles


def test_every_date_is_taken_as_often_as_any_other_give_or_take_one() -> None:
    counts = np.bincount(draw_dates(1000, 300, 3), minlength=300)
    assert (counts.min(), counts.max(), counts.sum()) == (3, 4, 1000)
    few = draw_dates(10, 300, 3)
    assert len(np.unique(few)) == 10
    assert np.diff(np.sort(few)).tolist() == [30] * 9, "spread over all years"
    assert not np.array_equal(few, np.sort(few)), "in random order"


def test_ranks_are_a_permutation_in_the_order_of_the_dates_values() -> None:
    values = np.array([[3.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    drawn = np.array([0, 1, 2, 1, 0, 1])
    found = ranks(values, drawn, np.random.default_rng(0))
    assert [sorted(found[:, column].tolist()) for column in (0, 1)] == [[0, 1, 2, 3, 4, 5]] * 2
    assert set(found[drawn == 1, 0].tolist()) == {0, 1, 2}
    assert set(found[drawn == 2, 0].tolist()) == {3}
    assert set(found[drawn == 0, 0].tolist()) == {4, 5}
    orders = {tuple(ranks(values, drawn, np.random.default_rng(seed))[:, 1].tolist()) for seed in range(20)}
    assert len(orders) > 10, "equal values are ordered by the seed"


@pytest.mark.parametrize("count", [400, 5_000])
def test_before_the_clamp_each_marginal_is_the_forecasts(stretches: Stretches, count: int) -> None:
    moves, quantiles = draw(stretches, count)
    share = (moves[..., None].astype(float) <= quantiles + 1e-7).mean(axis=0)
    assert np.abs(share - np.asarray(LEVELS)).max() <= 1 / count + 1e-9


def test_after_the_clamp_it_is_within_a_hundredth(stretches: Stretches) -> None:
    moves, quantiles = draw(stretches, 5_000)
    paths = coherent_paths(moves)
    assert_coherent(paths[..., None])
    share = (paths[..., None].astype(float) <= quantiles + 1e-7).mean(axis=0)
    assert np.abs(share - np.asarray(LEVELS)).max() < 0.01
    assert np.array_equal(paths[..., [0, 3]], moves[..., [0, 3]]), "opens and closes are not moved"


def test_tickers_that_moved_together_do_so_in_the_paths(stretches: Stretches) -> None:
    one, other = (draw(stretches, 4_000, ticker)[0][:, :, 3] for ticker in (0, 1))
    for step in range(STEPS):
        assert np.corrcoef(one[:, step], other[:, step])[0, 1] == pytest.approx(0.8, abs=0.06)
    alone = np.random.default_rng(0).permutation(other)
    assert abs(np.corrcoef(one[:, 0], alone[:, 0])[0, 1]) < 0.06, "the test can tell"


def test_a_path_keeps_the_days_and_prices_of_a_stretch_together(stretches: Stretches) -> None:
    moves, _ = draw(stretches, 4_000)
    drawn = draw_dates(4_000, len(stretches.dates), 1)
    past = stretches.values(0, (0, 1, 2, 3))[drawn]
    flat = moves.reshape(len(moves), -1)
    own = np.corrcoef(flat, rowvar=False)
    then = np.corrcoef(past.reshape(len(past), -1), rowvar=False)
    assert np.abs(own - then).max() < 0.12
    assert then[3, 19] > 0.3


def test_a_seed_draws_the_same_paths_and_another_others(stretches: Stretches) -> None:
    first, again, other = (draw(stretches, 200, seed=seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stretches_end_before_the_origin_and_know_nothing_after_it() -> None:
    of = with_holes()
    day = np.datetime64("2011-09-01")
    for name, panel in futures(of, day).items():
        again = Stretches.of(_bars_of(panel, day), STEPS)
        if name == "changed":
            first = again
        else:
            assert np.array_equal(first.rows, again.rows)
            assert np.array_equal(first.values(1, (3,)), again.values(1, (3,)))
    assert (first.rows.max(axis=0) + STEPS < first.dataset.panel.offsets[1:]).all()


def _bars_of(panel: object, day: np.datetime64) -> list[Bars]:
    found = []
    for number, ticker in enumerate(panel.tickers):  # type: ignore[attr-defined]
        rows = panel.rows_of(number)  # type: ignore[attr-defined]
        prices, dates = panel.prices[rows], panel.sessions[rows]  # type: ignore[attr-defined]
        kept = dates <= day
        columns = dict(zip(("open", "high", "low", "close"), prices[kept].T, strict=True))
        rest = {"adj_close": columns["close"], "volume": panel.volume[rows][kept]}  # type: ignore[attr-defined]
        rest |= {"dividend": np.zeros(kept.sum()), "split": np.ones(kept.sum())}
        calendar = panel.calendars[number]  # type: ignore[attr-defined]
        found.append(Bars(ticker, "USD", calendar, "UTC", dates[kept], **columns, **rest))
    return found


def test_a_date_takes_the_row_that_was_known_on_its_evening() -> None:
    tokyo = sessions("XTKS", np.datetime64("2010-01-04"), np.datetime64("2012-12-28"))
    york = sessions("XNYS", np.datetime64("2010-01-04"), np.datetime64("2012-12-28"))
    three = [
        on_days(bars("YORK", len(york), 1), york),
        replace(on_days(bars("TOKYO", len(tokyo), 2), tokyo), calendar="XTKS"),
        on_days(bars("NEWARK", len(york), 3), york),
    ]
    found = Stretches.of(three, STEPS)
    panel = found.dataset.panel
    known = panel.sessions[found.rows]
    assert (known <= found.dates[:, None])[found.own].all()
    holiday = np.datetime64("2011-05-04")
    (place,) = np.flatnonzero(found.dates == holiday)
    assert [str(day) for day in known[place]] == ["2011-05-04", "2011-05-02", "2011-05-04"], "three holidays of Tokyo"
    assert found.own[1:].all(), "on the first date one of them is a session too young"
    assert found.notes() == []


def test_a_short_history_follows_stretches_of_its_own_that_keep_the_correlation() -> None:
    long, other, young = market(3, 1_500)
    young = replace(young, dates=young.dates[-400:], **{name: getattr(young, name)[-400:] for name in COLUMNS})
    found = Stretches.of([long, other, young], STEPS)
    assert len(found.dates) > 1_300
    lacking = ~found.own[:, 2]
    assert lacking.sum() > 900
    assert (found.rows[:, 2] >= found.dataset.panel.offsets[2]).all(), "rows of its own"
    moves = np.column_stack([found.values(n, (3,))[lacking, STEPS - 1, 0] for n in range(3)])
    assert np.corrcoef(moves, rowvar=False)[0, 2] == pytest.approx(0.8, abs=0.12)
    (note,) = found.notes()
    assert "past stretches for T2 (33" in note
    assert "Ledoit–Wolf" in note


def test_a_halted_ticker_has_no_stretch_of_its_own_in_the_halt() -> None:
    day = np.datetime64("2011-12-29")
    found = Stretches.of(_bars_of(with_holes(), day), STEPS)
    halted = found.own[:, 1]
    inside = (found.dates > np.datetime64("2010-07-08")) & (found.dates < np.datetime64("2011-01-03"))
    assert not halted[inside].any()
    assert halted[found.dates > np.datetime64("2011-01-03")].all()


def test_a_history_that_is_too_short_is_refused_in_one_line() -> None:
    require_stretches(bars("AAA", 60 + FEWEST + STEPS), STEPS)
    with pytest.raises(InputError, match=r"^AAA has 124 candles, but paths of 5 sessions need 125: fetch a longer"):
        require_stretches(bars("AAA", 59 + FEWEST + STEPS), STEPS)


def test_histories_that_share_no_dates_have_paths_that_know_nothing_of_each_other() -> None:
    old, new = bars("OLD", 300, start="2000-01-03"), bars("NEW", 300, start="2010-01-04")
    alone, both = Stretches.of([old], STEPS), Stretches.of([old, new], STEPS)
    assert len(alone.dates) == 300 - 60 - STEPS
    assert len(both.dates) == 2 * len(alone.dates)
    assert not (both.own[:, 0] & both.own[:, 1]).any()
    moves = np.column_stack([both.values(n, (3,))[:, 4, 0] for n in range(2)])
    assert abs(np.corrcoef(moves, rowvar=False)[0, 1]) < 0.15
    assert "past stretches for OLD (235), NEW (235)" in both.notes()[0]


def test_a_saturday_of_coins_repeats_no_friday() -> None:
    every = np.arange(np.datetime64("2010-01-01"), np.datetime64("2011-06-30"))
    stock = bars("STOCK", 380)
    coin = replace(on_days(bars("COIN", len(every), 3), every), calendar="24/7")
    found = Stretches.of([stock, coin], STEPS)
    assert np.isin(found.dates, stock.dates).all()
    both = (found.dates > np.datetime64("2010-06-01")) & (found.dates < np.datetime64("2011-05-20"))
    assert both.sum() > 200
    assert found.own[both].all()


def test_shrinkage_is_strong_with_few_days_and_weak_with_many() -> None:
    rng = np.random.default_rng(0)
    truth = np.full((20, 20), 0.5) + 0.5 * np.eye(20)
    root = np.linalg.cholesky(truth)

    def error(days: int, shrunk: bool) -> float:
        values = rng.standard_normal((days, 20)) @ root.T
        found = shrunk_correlation(values) if shrunk else np.corrcoef(values, rowvar=False)
        assert np.linalg.eigvalsh(found).min() > 0 or not shrunk
        return float(((found - truth) ** 2).sum())

    few = np.mean([[error(15, True), error(15, False)] for _ in range(50)], axis=0)
    assert few[0] < few[1]
    independent = shrunk_correlation(rng.standard_normal((15, 20)))
    assert np.abs(independent - np.eye(20)).max() < 0.25
    assert shrunk_correlation(rng.standard_normal((20_000, 20)) @ root.T)[0, 1] == pytest.approx(0.5, abs=0.02)


def test_shrinkage_is_that_of_scikit_learns_formula_by_hand() -> None:
    """Two tickers, four days: S, the distance to the identity and the noise worked out by hand."""
    values = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, -1.0]])
    centred = values - values.mean(axis=0)
    standard = centred / centred.std(axis=0)
    sample = standard.T @ standard / 4
    noise = sum(((np.outer(row, row) - sample) ** 2).sum() for row in standard) / 16
    delta = min(noise / ((sample - np.eye(2)) ** 2).sum(), 1)
    assert shrunk_correlation(values)[0, 1] == pytest.approx((1 - delta) * sample[0, 1])


def test_predict_couples_its_tickers(trained: TrainedRun, store: Path, say: Callable[..., Answer]) -> None:
    aapl, ibm = predict(["AAPL", "IBM"], run=str(trained.folder), data_dir=store, paths=2_000)
    assert aapl.paths is not None
    assert ibm.paths is not None
    correlation = np.corrcoef(np.log(aapl.paths[:, 0, 3]), np.log(ibm.paths[:, 0, 3]))[0, 1]
    assert correlation > 0.25
    for one in (aapl, ibm):
        share = (one.paths[..., None] <= one.prices * (1 + 1e-6)).mean(axis=0)
        assert np.abs(share - np.asarray(LEVELS)).max() < 0.01
