"""Coverage of a forecast's bands in its run's test, for every band that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.inference.forecast import Forecast


def held_at(forecast: Forecast, band: float, step: int) -> float | None:
    """Share of closes inside a central band in the test, at a step; None if not measured."""
    return next((held for at, held in _held(forecast, band) if at == step), None)


def held_text(forecast: Forecast, band: float, where: str = " in the test") -> str:
    """Over the forecast's steps: `held 76% in the test`, or `held 74–78% in the test`; empty if not measured."""
    shares = [round(100 * held) for _, held in _held(forecast, band)]
    if not shares:
        return ""
    low, high = min(shares), max(shares)
    return f"held {low}%{where}" if low == high else f"held {low}–{high}%{where}"


def beside(text: str, held: str) -> str:
    """`80% of closes; held 76% in the test`."""
    return f"{text}; {held}" if held else text


def _held(forecast: Forecast, band: float) -> Sequence[tuple[int, float]]:
    return [(one["step"], one["held"]) for one in forecast.skill.get("held", ()) if abs(one["band"] - band) < 1e-6]
