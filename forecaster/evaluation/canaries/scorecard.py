"""Are the figures in the model file those that the candles give?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forecaster.errors import InputError
from forecaster.evaluation.canaries import CANARIES, Check, Patient, found
from forecaster.evaluation.scorecard import Scorecard

_TOLERANCE, _LOOSE = 2e-3, 5e-2
"""For the same candles, where only the last bits of another machine differ, and for revised ones."""

_RELATIVE = ("mae", "pinball", "crps")
_ABSOLUTE = ("coverage50", "coverage80", "coverage90", "direction", "skill_mae", "skill_pinball")


@CANARIES.register("scorecard")
def scorecard(patient: Patient) -> Check:
    """Every figure of the model file's scorecard, beside the same made anew."""
    lacking = len(patient.model.header.tickers) - len(patient.bars)
    if lacking and not patient.same_candles:
        raise InputError(f"The store lacks {lacking} of the run's tickers: its figures cannot be made again.")
    stored, now = patient.model.header.scorecard, patient.card.as_data()
    tolerance = _TOLERANCE if patient.same_candles else _LOOSE
    apart, where = max(_apart(stored["models"], now["models"]), default=(float("inf"), "no row of it"))
    verdict, again = Scorecard.read(stored).verdict.code, patient.card.verdict.code
    turned = patient.same_candles and verdict != again
    candles = "" if patient.same_candles else "; the store's candles are not quite those of the training"
    said = f"; its verdict is {verdict!r}, the candles give {again!r}" if turned else ""
    return found(
        "scorecard",
        apart <= tolerance and not turned,
        None if apart == float("inf") else apart,
        measured=f"{f'{where} is {apart:.2g} off' if apart else 'no figure is off'}{said}{candles}",
        expected=f"every figure within {tolerance:g} of the one recomputed",
        meaning=(
            "The skill that the run claims is what its weights and these candles give.",
            "The skill that the run claims cannot be reproduced: its evaluation was wrong, or altered afterwards.",
        ),
    )


def _apart(stored: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, str]]:
    """How far each figure is off, and which one it is."""
    again = {_key(row): row for row in now}
    for row in stored:
        other = again.get(_key(row), {})
        for name in (*_RELATIVE, *_ABSOLUTE):
            ours, theirs = row[name], other.get(name)
            what = f"{name} of {row['name']}, {row['variable']}, step {row['step']}"
            if (ours is None) != (theirs is None):
                yield float("inf"), what
            elif ours is not None and theirs is not None:
                yield abs(ours - theirs) / (abs(theirs) if name in _RELATIVE and theirs else 1.0), what


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("name", "kind", "variable", "step", "baseline"))
