"""The table and the verdict, from losses made by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from forecaster.evaluation.rows import Row, find
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import Scores

DATES = np.datetime64("2020-01-01") + np.repeat(np.arange(100), 2)
STEPS = (1, 5)


def losses(
    level: float, noise: float = 0.1, seed: int = 0, known: np.ndarray | None = None, has_bands: bool = True
) -> Scores:
    """Losses of two tickers on a hundred dates about a level; each price's twice the one before."""
    rng = np.random.default_rng(seed)
    pinball = (level + noise * rng.normal(size=(200, 2, 4))) * 2.0 ** np.arange(4)
    bands = tuple(rng.random((200, 2, 4)) < share if has_bands else None for share in (0.5, 0.8, 0.9))
    right = np.where(rng.random((200, 2, 4)) < 0.1, np.nan, rng.random((200, 2, 4)) < 0.52)
    known = np.ones((200, 2), bool) if known is None else known
    return Scores.of(known, pinball, 3 * pinball, bands, 2 * pinball, right)


def card(model: Scores, reference: Scores | None = None) -> Scorecard:
    reference = reference or losses(1.0, seed=1)
    scores = {"gru": model, "walk": reference, "last-close": losses(2.0, seed=2, has_bands=False)}
    return make_scorecard(scores, DATES, tickers=2, steps=STEPS)


def row(of: Scorecard, name: str, variable: str, step: int | str, baseline: str | None = "walk") -> Row:
    return find(of.rows, name, variable, step, None if name == "walk" else baseline)


def test_a_row_for_each_forecaster_price_and_step_and_of_the_model_for_each_baseline() -> None:
    of = card(losses(0.9))
    assert len(of.rows) == (2 + 2) * 5 * 3
    assert [one.baseline for one in of.rows if one.variable == "mean" and one.step == 1] == [
        "walk",
        "last-close",
        None,
        "walk",
    ]
    over_echo = row(of, "gru", "mean", "all", "last-close").skill_mae
    assert over_echo is not None
    assert over_echo == pytest.approx(1 - 0.9 / 2.0, abs=0.02)
    assert {(one.name, one.kind) for one in of.rows} == {
        ("gru", "model"),
        ("walk", "baseline"),
        ("last-close", "baseline"),
    }
    assert (of.origins, of.tickers, of.sessions, of.first, of.last) == (200, 2, 100, "2020-01-01", "2020-04-09")
    assert of.horizon == STEPS
    assert of.reference == "walk"


def test_losses_are_means_over_origins_then_over_steps() -> None:
    model = losses(0.9)
    of = card(model)
    assert row(of, "gru", "low", 5).pinball == pytest.approx(model.pinball[:, 1, 2].mean())
    assert row(of, "gru", "low", "all").pinball == pytest.approx(model.pinball[:, :, 2].mean())
    assert row(of, "gru", "mean", "all").mae == pytest.approx(model.error.mean())
    band = model.inside[1]
    assert band is not None
    assert row(of, "gru", "open", 1).coverage80 == pytest.approx(band[:, 0, 0].mean())


def test_skill_is_the_share_by_which_a_loss_is_lower_and_each_price_weighs_the_same() -> None:
    model, reference = losses(0.9), losses(1.0, seed=1)
    of = card(model, reference)
    means = [one.pinball.mean(axis=(0, 1), dtype=np.float64) for one in (model, reference)]
    skills = 1 - means[0] / means[1]
    for place, variable in enumerate(("open", "high", "low", "close")):
        assert row(of, "gru", variable, "all").skill_pinball == pytest.approx(skills[place])
    assert row(of, "gru", "mean", "all").skill_pinball == pytest.approx(skills.mean())
    assert row(of, "gru", "mean", "all").skill_mae == pytest.approx(skills.mean())
    assert row(of, "gru", "mean", "all").baseline == "walk"


def test_the_reference_is_compared_with_nothing() -> None:
    own = row(card(losses(0.9)), "walk", "mean", "all")
    assert (own.baseline, own.skill_mae, own.skill_pinball, own.dm_statistic, own.p_value) == (None,) * 5


def test_unknown_outcomes_weigh_nothing() -> None:
    known = np.ones((200, 2), bool)
    known[150:, 1] = False
    model = losses(0.9, known=known)
    model.pinball[150:, 1] = 1e9
    of = card(model, losses(1.0, seed=1, known=known))
    assert row(of, "gru", "open", 5).pinball == pytest.approx(model.pinball[:150, 1, 0].mean())
    pinball = row(of, "gru", "mean", "all").pinball
    assert pinball is not None
    assert pinball < 10
    assert (row(of, "gru", "mean", "all").skill_pinball or 0) > 0.05


def test_the_data_is_json_with_the_keys_of_the_interface() -> None:
    data = card(losses(0.9)).as_data()
    json.dumps(data, allow_nan=False)
    assert {"origins", "tickers", "horizon", "reference", "models", "verdict"} <= set(data)
    assert list(data["models"][0])[:6] == ["name", "kind", "variable", "step", "mae", "pinball"]
    assert data["test_period_looks"] == 1


def test_direction_counts_only_origins_that_have_a_side() -> None:
    scores = losses(0.9)
    found = row(card(scores), "gru", "close", 1).direction
    assert found == scores.right[0, 3] / scores.sided[0, 3]
    assert 0 < scores.sided[0, 3] < 200
    overall = row(card(scores), "gru", "mean", "all").direction
    assert overall == scores.right.sum() / scores.sided.sum()
    flat = replace(scores, right=0 * scores.right, sided=0 * scores.sided)
    assert row(card(flat), "gru", "close", 1).direction is None
