"""The verdict from losses made by hand: every simple formula must be beaten, and every look is paid for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from forecaster.baselines import FORMULAS
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import Scores

DATES = np.datetime64("2020-01-01") + np.repeat(np.arange(200), 2)
STEPS = (1, 5)


def losses(level: float, noise: float = 0.05, seed: int = 0, bands: bool = True) -> Scores:
    """Losses of two tickers on two hundred dates about a level; each price's twice the one before."""
    rng = np.random.default_rng(seed)
    pinball = (level + noise * rng.normal(size=(400, 2, 4))) * 2.0 ** np.arange(4)
    inside = tuple(rng.random((400, 2, 4)) < share if bands else None for share in (0.5, 0.8, 0.9))
    right = np.ones((400, 2, 4))
    return Scores.of(np.ones((400, 2), bool), pinball, 3 * pinball, inside, 2 * pinball, right)


LEVELS = {"ewma-random-walk": 1.0, "ewma-garman-klass": 1.0, "har": 1.0, "climatology": 1.0, "last-close": 1.0}


def card(level: float = 0.9, model: str = "gru", noise: float = 0.05, bands: bool = True, **levels: float) -> Scorecard:
    """A model at a level beside the formulas, each at 1.0 unless said otherwise (`_` for the hyphens)."""
    chosen = LEVELS | {name.replace("_", "-"): value for name, value in levels.items()}
    formulas = {
        name: losses(value, seed=place, bands=bands and name != "last-close")
        for place, (name, value) in enumerate(chosen.items(), 1)
        if name != model
    }
    return make_scorecard({model: losses(level, noise, bands=bands), **formulas}, DATES, 2, STEPS)


def test_skill_is_to_beat_every_formula_and_the_figure_is_that_of_the_hardest() -> None:
    verdict = card(0.9, har=0.95).verdict
    assert verdict.code == "skill"
    assert verdict.hardest is not None
    assert verdict.hardest.baseline == max(FORMULAS, key=lambda name: _row(card(0.9, har=0.95), name).p_value or 0.0)
    assert verdict.text.startswith("Skill: ranges ")
    assert f"the hardest simple formula ({verdict.hardest.baseline})" in verdict.text
    assert verdict.sessions_needed is None, "what is shown needs no more days"


def _row(of: Scorecard, baseline: str):  # type: ignore[no-untyped-def]
    wanted = (of.model, "mean", "all", baseline)
    return next(row for row in of.rows if (row.name, row.variable, row.step, row.baseline) == wanted)


@pytest.mark.parametrize("formula", FORMULAS)
def test_one_formula_that_is_not_beaten_is_enough_for_no_skill(formula: str) -> None:
    verdict = card(0.9, **{formula.replace("-", "_"): 0.9 - 1e-3}).verdict
    assert verdict.code in ("no-evidence", "worse")
    assert verdict.hardest is not None
    assert verdict.hardest.baseline == formula


def test_the_hardest_formula_of_a_run_that_loses_is_the_one_it_loses_most_to_and_no_p_is_claimed() -> None:
    verdict = card(1.0, noise=0.5, har=0.97, climatology=0.95).verdict
    assert verdict.hardest is not None
    assert (verdict.hardest.baseline, verdict.hardest.p_value) == ("climatology", None)
    assert (verdict.hardest.skill_pinball or 0) < 0
    assert verdict.sessions_needed is None
    assert "You would need" not in verdict.text


def test_worse_than_one_formula_is_worse_and_names_it() -> None:
    verdict = card(1.0, har=0.9).verdict
    assert verdict.code == "worse"
    assert "worse than a simple formula (har), p < 0.0001: use that instead" in verdict.text


def test_that_climatology_is_better_is_said_in_the_first_line() -> None:
    assert "each ticker's own past" in card(1.0, climatology=0.95).verdict.lines[0]
    both = card(1.0, har=0.9, climatology=0.95).verdict.lines[0]
    assert "worse than a simple formula (har)" in both
    assert "and 5.1" in both
    assert "worse than each ticker's own past (climatology)" in both


def test_worse_pays_for_being_the_worst_of_four() -> None:
    """p of the one lost comparison lies between 0.0125 and 0.05: certain alone, not as the worst of four."""
    found = (card(1.0, noise=float(noise), har=0.97) for noise in np.linspace(0.2, 1.5, 120))
    uncertain = next(one for one in found if 0.0125 < _p(one, "har") < 0.05)
    assert uncertain.verdict.code == "no-evidence"
    assert (uncertain.verdict.pinball_skill or 0) < 0


def _p(of: Scorecard, baseline: str) -> float:
    row = _row(of, baseline)
    return 1.0 if row.p_value is None or (row.skill_pinball or 0) > 0 else row.p_value


def test_each_look_is_paid_for() -> None:
    of = card(0.9)
    p_value = of.verdict.hardest.p_value if of.verdict.hardest else None
    assert p_value is not None
    enough = int(0.05 / p_value) + 1
    tried = of.with_looks(enough).verdict
    assert (of.verdict.code, tried.code) == ("skill", "no-evidence")
    assert tried.hardest is not None
    assert tried.hardest.p_value == p_value
    assert tried.hardest.p_adjusted == pytest.approx(p_value * enough)
    assert f"corrected for the {enough} models tried on this test" in tried.text
    assert of.with_looks(10**20).verdict.p_value == 1.0


def test_a_formula_as_the_run_is_compared_with_the_others_and_never_has_skill() -> None:
    verdict = card(0.8, model="har").verdict
    assert verdict.code == "no-evidence"
    assert verdict.text.startswith("A simple formula (har): ranges ")
    assert "the hardest of the other formulas" in verdict.text
    assert card(1.0, model="har", climatology=0.9).verdict.code == "worse"


def test_a_run_that_was_not_compared_with_every_formula_claims_nothing() -> None:
    scores = {"gru": losses(0.5), "ewma-random-walk": losses(1.0, seed=1), "climatology": losses(1.0, seed=2)}
    verdict = make_scorecard(scores, DATES, 2, STEPS).verdict
    assert verdict.code == "no-evidence"
    assert "never compared with ewma-garman-klass, har" in verdict.text


def test_a_margin_that_rounds_to_nothing_is_none() -> None:
    verdict = card(0.99999, noise=0.0, har=1.0).verdict
    assert verdict.code == "no-evidence"


def test_too_few_days_are_said_to_be_too_few() -> None:
    scores = {
        name: replace(one, **{key: getattr(one, key)[:40] for key in ("known", "pinball", "error")}, inside=(None,) * 3)
        for name, one in {
            "gru": losses(0.5),
            **{name: losses(1.0, seed=2) for name in (*FORMULAS, "last-close")},
        }.items()
    }
    verdict = make_scorecard(scores, DATES[:40], 2, STEPS).verdict
    assert verdict.code == "no-evidence"
    assert "20 test days are too few to tell that from luck (30 at least)" in verdict.text


def test_no_evidence_says_how_many_days_would_confirm_it_for_all_looks() -> None:
    verdict = card(
        0.995,
        noise=2.0,
    ).verdict
    assert verdict.code == "no-evidence"
    assert verdict.sessions_needed is not None
    assert verdict.sessions_needed > 200
    assert "you would need about " in verdict.text
    more = card(0.995, noise=2.0).with_looks(10).verdict
    assert (more.sessions_needed or 0) > verdict.sessions_needed


def test_prices_that_never_moved_measure_nothing() -> None:
    still = {name: losses(0.0, 0.0) for name in ("gru", *FORMULAS)}
    verdict = make_scorecard(still, DATES, 2, STEPS).verdict
    assert verdict.code == "no-evidence"
    assert "no price moved in the test" in verdict.text


def test_a_point_forecast_is_judged_by_the_error_of_its_medians_and_says_nothing_of_ranges() -> None:
    verdict = card(0.9, bands=False).verdict
    assert verdict.code == "skill"
    assert "ranges" not in verdict.text.lower()
    assert verdict.text.startswith("Skill: median prices ")
    assert verdict.lines[1] == "Bands: none, this run forecasts medians only."
    echo = card(1.0, bands=False, last_close=0.99).verdict
    assert echo.code != "skill", "the last close is one of those that a point forecast must beat"


def test_the_last_close_is_compared_by_its_error_alone() -> None:
    of = card(0.9)
    row = _row(of, "last-close")
    assert row.skill_pinball is None
    assert row.skill_mae == pytest.approx(0.1, abs=0.02)
    assert row.p_value is not None
    own = next(one for one in of.rows if one.name == "last-close")
    assert (own.pinball, own.crps, own.coverage80) == (None, None, None)


def test_the_three_lines_tell_of_ranges_bands_and_direction() -> None:
    ranges, bands, direction = card(0.995, last_close=1.0).verdict.lines
    assert ranges.startswith("Ranges: 0.5")
    assert bands.startswith(("Bands: promised 80%, held 7", "Bands: promised 80%, held 8"))
    assert direction.startswith("Direction: none, as expected (the median close misses by 0.5")


def test_a_median_that_beats_the_last_close_by_much_is_no_skill_but_a_suspicion() -> None:
    assert "look for a leak" in card(0.9).verdict.lines[2]
    assert "none, as expected" in card(2.0).verdict.lines[2]


def test_a_band_that_is_off_is_named_with_what_it_held() -> None:
    rng = np.random.default_rng(0)
    narrow = replace(losses(0.9), inside=tuple(rng.random((400, 2, 4)) < share for share in (0.5, 0.6, 0.9)))
    scores = {"gru": narrow, **{name: losses(1.0, seed=3) for name in FORMULAS}}
    verdict = make_scorecard(scores, DATES, 2, STEPS).verdict
    assert "too narrow" in verdict.lines[1]
    assert verdict.lines[1].startswith("Bands: promised 80%, held 6") or "held 5" in verdict.lines[1]
    assert {(one.variable, one.step, one.band) for one in verdict.coverage} == {
        ("close", step, band) for step in STEPS for band in (0.5, 0.8, 0.9)
    }


def test_the_data_is_that_of_the_interface() -> None:
    verdict = card(0.9).with_looks(3).verdict.as_data()
    json.dumps(verdict, allow_nan=False)
    assert {"code", "text", "reference", "hardest", "looks", "coverage"} <= set(verdict)
    assert {"baseline", "skill_pinball", "p_value"} <= set(verdict["hardest"])
    assert {"variable", "step", "band", "held"} <= set(verdict["coverage"][0])
    assert verdict["looks"] == 3


def test_what_a_model_file_keeps_knows_nothing_of_other_models() -> None:
    of = card(0.9)
    assert of.stored() == of.with_looks(5).stored()
    assert "verdict" not in of.stored()
    again = Scorecard.read(json.loads(json.dumps(of.stored())))
    assert again == of
    assert again.with_looks(5).verdict == of.with_looks(5).verdict


def test_a_scorecard_of_before_is_read_with_what_its_bands_held() -> None:
    old: Mapping[str, object] = {key: value for key, value in card(0.9).stored().items() if key != "bands"}
    again = Scorecard.read({**old, "verdict": {"code": "skill", "text": "Skill"}})
    assert [one.held for one in again.bands] == [one.held for one in card(0.9).bands]
    assert again.bands[0].error is None
