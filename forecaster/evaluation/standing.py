"""What a forecast says of its run's skill."""

from __future__ import annotations

from typing import Any

from forecaster.evaluation.scorecard import Scorecard


def skill_of(card: Scorecard, steps: tuple[int, ...]) -> dict[str, Any]:
    """What a forecast says of its run's skill, and what its bands held in the test at the steps that it gives."""
    verdict = card.verdict
    held = [{"step": one.step, "band": one.band, "held": one.held} for one in verdict.coverage if one.step in steps]
    return {
        "verdict": verdict.brief,
        "baseline": verdict.hardest.baseline if verdict.hardest else None,
        "pinball_skill": verdict.pinball_skill,
        "p_value": verdict.p_value,
        "held": held,
    }
