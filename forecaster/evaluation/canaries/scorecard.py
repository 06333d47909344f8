"""Can the figures in the model file be reproduced from weights and candles?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forecaster.errors import InputError
from forecaster.evaluation.canaries import CANARIES, Check, RunUnderTest, check
from forecaster.evaluation.scorecard import Scorecard

_TOLERANCE, _LOOSE = 2e-3, 5e-2
"""For the same candles (another machine differs in the last bits only), and for revised ones."""

_RELATIVE = ("mae", "pinball", "crps")
_ABSOLUTE = ("coverage50", "coverage80", "coverage90", "direction", "skill_mae", "skill_pinball")


@CANARIES.register("scorecard")
def scorecard(run: RunUnderTest) -> Check:
    """Compares every figure of the model file's scorecard with the recomputed one."""
    missing = len(run.model.header.tickers) - len(run.bars)
    if missing and not run.same_candles:
        raise InputError(f"The store lacks {missing} of the run's tickers: its figures cannot be recomputed.")
    stored, now = run.model.header.scorecard, run.card.as_data()
    tolerance = _TOLERANCE if run.same_candles else _LOOSE
    apart, where = max(_apart(stored["models"], now["models"]), default=(float("inf"), "no row"))
    verdict, recomputed = Scorecard.read(stored).verdict.code, run.card.verdict.code
    turned = run.same_candles and verdict != recomputed
    candles = "" if run.same_candles else "; the store's candles have been revised since training"
    other = f"; its verdict is {verdict!r}, recomputed it is {recomputed!r}" if turned else ""
    return check(
        "scorecard",
        apart <= tolerance and not turned,
        None if apart == float("inf") else apart,
        measured=f"{f'{where} is {apart:.2g} off' if apart else 'no figure is off'}{other}{candles}",
        expected=f"every figure within {tolerance:g} of the one recomputed",
        meaning=(
            "The skill that the run claims is reproduced by its weights and these candles.",
            "The skill that the run claims cannot be reproduced: the evaluation was wrong, or altered afterwards.",
        ),
    )


def _apart(stored: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, str]]:
    """Yields each figure's difference, relative for losses, and its name."""
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
