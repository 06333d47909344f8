"""What the reader of forecasts should know."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.errors import at_most_five
from forecaster.inference.forecast import Forecast
from forecaster.show.steps import steps


def notes(forecasts: Sequence[Forecast]) -> list[str]:
    """What the reader should know, each once: what holds for several tickers is said of the first, with their names."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for forecast in forecasts:
        for text in forecast.warnings:
            key = text.removeprefix(forecast.ticker) if text.startswith(forecast.ticker) else text
            alike.setdefault(key, []).append((forecast.ticker, text))
    return [_note(key, found) for key, found in alike.items()]


def steps_left_out(horizon: int | None, forecast: Forecast) -> list[str]:
    """That a horizon between the trained steps is not itself forecast."""
    if horizon is None or horizon in forecast.steps:
        return []
    told = f"the forecast keeps its steps up to it, {steps(forecast.steps)}"
    return [f"--horizon {horizon} is not a step of run {forecast.run}: {told}."]


def _note(key: str, found: Sequence[tuple[str, str]]) -> str:
    (_, text), *others = found
    if not others or text == key:  # one that names no ticker is of them all
        return text
    return f"{text} So it is with {at_most_five(ticker for ticker, _ in others)}."
