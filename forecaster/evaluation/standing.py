"""The skill of a run as reported with each of its forecasts."""

from __future__ import annotations

from typing import Any

from forecaster.evaluation.scorecard import Scorecard


def skill_of(card: Scorecard, steps: tuple[int, ...]) -> dict[str, Any]:
    """The run's verdict, and the coverage of its bands in the test at the forecast's steps."""
    verdict = card.verdict
    held = [{"step": one.step, "band": one.band, "held": one.held} for one in verdict.coverage if one.step in steps]
    return {
        "verdict": verdict.brief,
        "baseline": verdict.hardest.baseline if verdict.hardest else None,
        "pinball_skill": verdict.pinball_skill,
        "p_value": verdict.p_value,
        "held": held,
    }
