"""`forecast odds`: closes beyond prices, touches, sizes, the formula beside them, and every refusal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import InputError
from forecaster.evaluation.rows import Measure, Reliability
from forecaster.evaluation.scorecard import Scorecard
from forecaster.runs.priceodds import Odds
from forecaster.show.odds import odds_view
from forecaster.workflows.odds import odds
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Odds]
CLOSE = 430.47


@pytest.fixture
def ask(store: Path, trained: TrainedRun) -> Ask:
    def run(**options: object) -> Odds:
        wanted = {"within": 3, "paths": 10_000} | options
        return odds("AAPL", run=str(trained.folder), data_dir=store, **wanted)  # type: ignore[arg-type]

    return run


def test_a_close_beyond_a_price_has_the_odds_of_the_forecasts_quantiles(
    ask: Ask, store: Path, trained: TrainedRun
) -> None:
    (forecast,) = predict("AAPL", run=str(trained.folder), data_dir=store)
    for step in (0, 2):
        for place, level in enumerate(forecast.levels):
            price = float(forecast.prices[step, 3, place])
            found = ask(above=price, below=price)
            above, below = found.prices
            assert below.on[step] == pytest.approx(level, abs=2e-3)
            assert above.on[step] == pytest.approx(1 - level, abs=2e-3)


def test_odds_by_a_day_grow_and_a_touch_comes_before_a_close(ask: Ask) -> None:
    above, touch, near = ask(above=450, touch=[450, 440]).prices
    assert (np.diff(above.by) >= 0).all()
    assert (np.diff(touch.by) >= 0).all()
    assert all(by >= on for by, on in zip(above.by, above.on, strict=True))
    assert all(one >= other for one, other in zip(touch.by, above.by, strict=True))
    assert touch.by[-1] < near.by[-1] < 1
    assert (touch.on, touch.kind, near.price) == ((), "touch", 440)


def test_which_of_two_is_touched_first_adds_up(ask: Ask) -> None:
    found = ask(touch=[440, 420])
    assert found.first is not None
    parts = (found.first.one, found.first.other, found.first.same_day, found.first.neither)
    assert sum(parts) == pytest.approx(1)
    assert min(parts) > 0
    up, down = found.prices
    assert up.by[-1] >= found.first.one + found.first.same_day
    assert down.by[-1] + up.by[-1] >= 1 - found.first.neither - 1e-9
    assert ask(touch=[440]).first is None
    assert ask(touch=[410, 420, 440]).first is None


def test_prices_touched_with_a_chance_are_touched_with_it(ask: Ask) -> None:
    for chance, low, high in ask().touched:
        down, up = ask(touch=[low, high]).prices
        assert low < CLOSE < high
        assert down.by[-1] == pytest.approx(chance, abs=0.01)
        assert up.by[-1] == pytest.approx(chance, abs=0.01)


def test_a_size_keeps_the_loss_within_bounds(ask: Ask, store: Path, trained: TrainedRun) -> None:
    (forecast,) = predict("AAPL", run=str(trained.folder), data_dir=store)
    fall = forecast.last_close - float(forecast.prices[-1, 3, 0])
    size = ask(size=10_000).size
    assert size is not None
    assert size.shares == pytest.approx(10_000 / fall, rel=0.02)
    wider = ask(size=10_000, level=99).size
    assert wider is not None
    assert (wider.shares or 0) < size.shares
    assert ask().size is None


def test_the_formula_stands_beside(ask: Ask) -> None:
    above, below, touch = ask(above=460, below=400, touch=460).prices
    assert touch.formula == pytest.approx([2 * one for one in above.formula])
    assert (np.diff(above.formula) > 0).all()
    assert 0 < below.formula[0] < 0.2
    assert touch.by[-1] == pytest.approx(touch.formula[-1], abs=0.15)


def test_the_same_seed_gives_the_same_odds(ask: Ask) -> None:
    assert ask(touch=440, seed=3).as_data() == ask(touch=440, seed=3).as_data()
    assert ask(touch=440, seed=3).prices != ask(touch=440, seed=4).prices


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"touch": CLOSE}, "--touch 430.47 is the last close, so it is touched already: choose another price"),
        ({"above": -3}, "--above is -3: expected a price above 0"),
        ({"below": float("nan")}, "--below is nan: expected a price above 0"),
        ({"size": 0}, "--size is 0: expected the money that may be lost, above 0"),
        ({"size": 5, "level": 100}, "--level is 100: expected a per cent above 50 and up to 99"),
        ({"within": 4}, "--within is 4, but run small has paths of the steps 1 to 3"),
    ],
)
def test_questions_that_cannot_be_answered(ask: Ask, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ask(**options)


def test_the_command_says_the_same_in_each_format(
    ask: Ask, store: Path, trained: TrainedRun, say: Callable[..., Answer]
) -> None:
    words = ("odds", "AAPL", "--above", 450, "--touch", 440, "--touch", 420, "--within", 3, "--size", 1000)
    places = ("--run", trained.folder, "--data-dir", store)
    screen, data, rows = (say(*words, *places, "--format", kind) for kind in ("table", "json", "csv"))
    assert (screen.code, data.code, rows.code) == (0, 0, 0)
    found = json.loads(data.out)
    assert found["ticker"] == "AAPL"
    assert re.search(rf"closes above 450.00 +{found['prices'][0]['on'][-1]:.1%} ", screen.out)
    assert f"440.00 first {found['first']['one']:.1%}" in screen.out
    assert f"{found['size']['shares']:,} shares lose more than 1,000 USD" in screen.out
    long = list(csv.DictReader(io.StringIO(rows.out)))
    (last,) = [row for row in long if (row["event"], row["price"], row["day"]) == ("touch", "440.0", "3")]
    assert float(last["by"]) == found["prices"][1]["by"][-1]
    answer = say("odds", "NIX", "--offline", *places)
    assert (answer.code, answer.out) == (2, "")
    assert "Unknown ticker 'NIX'" in answer.err


@pytest.mark.parametrize(
    ("skill", "p_value", "expected"),
    [(0.031, 0.004, "Brier score +3.10% (better)"), (-0.01, 0.4, "(worse) beside the random walk, p 0.4: no evidence")],
)
def test_what_the_test_said_of_touches_is_shown(
    ask: Ask, say: Callable[..., Answer], tmp_path: Path, skill: float, p_value: float, expected: str
) -> None:
    from forecaster.show.output import present

    measure = Measure("gru", "touch-odds", 3, "brier", 0.1, "random-walk formula", skill, -2.0, p_value)
    present(odds_view(replace(ask(touch=440), measures=(measure,))), "table", tmp_path / "odds.txt")
    assert expected in " ".join((tmp_path / "odds.txt").read_text(encoding="utf-8").split())


def test_the_shipped_run_keeps_how_reliable_its_chances_were(store: Path) -> None:
    from forecaster.runs.run import Run

    run = Run.find(store, "pretrained")
    (kept,) = [one for one in Scorecard.read(run.header.scorecard).widths() if one.quantity == "touch-odds"]
    assert sum(one.count for one in kept.reliability) > 100_000
    assert all(abs(one.given - one.happened) < 0.02 for one in kept.reliability if one.count > 1_000)


def test_reliability_stands_below_the_odds_and_in_the_data(ask: Ask, tmp_path: Path) -> None:
    from forecaster.show.output import present

    bins = (
        Reliability(0.1, 0.2, 900, 0.143, 0.152),
        Reliability(0.6, 0.8, 400, 0.65, 0.64),
        Reliability(0.8, 1.0, 9, 1.0, 0.0),
    )
    measure = Measure("gru", "touch-odds", 3, "brier", 0.1, "random-walk-formula", 0.03, -2.0, 0.01, bins)
    found = replace(ask(touch=440), measures=(measure,))
    present(odds_view(found), "table", tmp_path / "odds.txt")
    text = (tmp_path / "odds.txt").read_text(encoding="utf-8")
    assert re.search(r"chance given +14% +65%\nhappened +15% +64%\ncases +900 +400\n", text)
    (data,) = found.as_data()["skill"]["measures"]
    assert [one["count"] for one in data["reliability"]] == [900, 400, 9]


def test_a_level_without_a_loss_is_refused(say: Callable[..., Answer]) -> None:
    answer = say("odds", "AAPL", "--touch", "460", "--level", "90")
    assert answer.code == 2
    assert "--level 90 is of --size: name the loss too." in " ".join(answer.err.split())


def test_a_check_of_the_journal_takes_no_run(say: Callable[..., Answer]) -> None:
    answer = say("score", "--verify", "--run", "first")
    assert answer.code == 2
    assert "checks the whole journal: leave --run out." in " ".join(answer.err.split())
