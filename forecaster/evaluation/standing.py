"""What the test says of a finished run today: its own figures, and how many other models were tried on that test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forecaster.errors import InputError
from forecaster.evaluation.ledger import Known, Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.scorecard import Scorecard
from forecaster.modelfile import Model


def standing(model: Model, data_dir: Path, runs_dir: Path) -> Scorecard:
    """A run's scorecard, with the looks that the ledger knows of now.

    Raises:
        InputError: the model file holds no scorecard.
    """
    return standing_in(model, Ledger(data_dir, runs_dir).read())


def standing_in(model: Model, known: Known) -> Scorecard:
    """As `standing`, for many runs and one reading of the ledger."""
    try:
        card = Scorecard.read(model.header.scorecard)
        look = Look(model_of(model.config), card.first, card.last, model.header.tickers)
        card = card.after(known.count(look).count)
        _ = card.verdict  # rows of a foreign file may hold anything
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"model file {model.path} is damaged: its scorecard cannot be read ({reason}).") from error
    return card


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
