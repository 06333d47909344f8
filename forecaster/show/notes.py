"""Warnings of forecasts, as a reader sees them."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.errors import at_most_five
from forecaster.inference.forecast import Forecast
from forecaster.show.words import steps


def notes(forecasts: Sequence[Forecast]) -> list[str]:
    """The forecasts' warnings, each once: one that holds for several tickers names the first, then the others."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for forecast in forecasts:
        for text in forecast.warnings:
            key = text.removeprefix(forecast.ticker) if text.startswith(forecast.ticker) else text
            alike.setdefault(key, []).append((forecast.ticker, text))
    return [_note(key, found) for key, found in alike.items()]


def steps_left_out(horizon: int | None, forecast: Forecast) -> list[str]:
    """A note where the requested horizon lies between trained steps and is not forecast itself."""
    if horizon is None or horizon in forecast.steps:
        return []
    kept = f"the forecast keeps its steps up to it, {steps(forecast.steps)}"
    return [f"--horizon {horizon} is not a step of run {forecast.run}: {kept}."]


def _note(key: str, found: Sequence[tuple[str, str]]) -> str:
    (_, text), *others = found
    if not others or text == key:  # without a ticker's name it holds for all
        return text
    return f"{text} The same holds for {at_most_five(ticker for ticker, _ in others)}."
