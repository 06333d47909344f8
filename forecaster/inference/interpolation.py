"""Steps that a run was not trained for, between two that it was: `best` has 1 to 5 and 20, and paths need 6 to 19 too.

Between two known steps each price's median and variance are linear in the number of sessions, and so is the distance of
each quantile from the median in standard deviations. Example: with a standard deviation of 2 % at step 5 and of 4 % at
step 20, that of step 10 is √(4 + (16 − 4) / 3) = 2.83 %. For a random walk this is exact. A high lies as far above its
close as the two known steps have it, since both are interpolated alike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.axes import Float
from forecaster.data.calendars import next_sessions
from forecaster.data.coherence import coherent
from forecaster.inference.compose import range_and_volatility
from forecaster.inference.forecast import Forecast
from forecaster.inference.tails import Tails
from forecaster.inference.volatility import mean, square

Quantiles = Float[np.ndarray, "*origin step variable quantile"]


def trained_until(trained: tuple[int, ...], days: int) -> tuple[int, ...]:
    """The trained steps that sessions 1 to `days` are made of: (1, 2, 5, 20) and 7 days → all of them."""
    return trained[: int(np.searchsorted(trained, days)) + 1]


def with_all_steps(forecast: Forecast, days: int, calendar: str) -> Forecast:
    """The forecast at each of the steps 1 to `days`, those that it lacks interpolated.

    Args:
        forecast: with step 1, and with `days` or a later one.
    """
    if forecast.steps == tuple(range(1, days + 1)):
        return forecast
    known = np.log(forecast.prices / forecast.last_close)
    quantiles = coherent(interpolated(known, forecast.levels, forecast.steps, days))
    steps = tuple(range(1, days + 1))
    ranges, volatility = range_and_volatility(calendar, steps, forecast.levels, quantiles)
    return replace(
        forecast,
        steps=steps,
        dates=next_sessions(calendar, forecast.origin, days),
        prices=forecast.last_close * np.exp(quantiles),
        range=ranges,
        volatility=volatility,
        tails=None if forecast.tails is None else interpolated_tails(forecast.tails, forecast.steps, days),
    )


def interpolated(
    quantiles: Quantiles, levels: tuple[float, ...], known: tuple[int, ...], days: int
) -> Float[np.ndarray, "*origin day variable quantile"]:
    """Quantiles of log(price / last close) at steps 1 to `days` from those at the known steps; not yet coherent."""
    if known[:days] == tuple(range(1, days + 1)):
        return quantiles[..., :days, :, :]
    middle = quantiles[..., levels.index(0.5)]
    variance = np.maximum(square(quantiles, levels) - mean(quantiles, levels) ** 2, 0.0)
    deviation = np.sqrt(variance)[..., None]
    # An open that is the last close has no deviation, and no distances either.
    distance = (quantiles - middle[..., None]) / np.where(deviation > 0, deviation, 1.0)
    lines = _lines(known, days)
    middle, variance = (np.einsum("ds,...sv->...dv", lines, one) for one in (middle, variance))
    return middle[..., None] + np.sqrt(variance)[..., None] * np.einsum("ds,...svq->...dvq", lines, distance)


def interpolated_tails(tails: Tails, known: tuple[int, ...], days: int) -> Float[np.ndarray, "day variable 2 2"]:
    """Shape and scale at steps 1 to `days`, linear between the known steps."""
    return np.tensordot(_lines(known, days), tails, 1)


def interpolation_note(run: str, trained: tuple[int, ...], days: int) -> str:
    """A sentence on the steps that were interpolated; empty if none was."""
    missing = sorted(set(range(1, days + 1)) - set(trained))
    if not missing:
        return ""
    one = len(missing) == 1
    return (
        f"Run {run} was not trained for {_spans(missing)}: {'it is' if one else 'they are'} interpolated. Each price's "
        "median, variance and distances of the quantiles (in standard deviations) are linear in the sessions between "
        "the trained steps."
    )


def _lines(known: tuple[int, ...], days: int) -> Float[np.ndarray, "day step"]:
    """Each day's weights of the known steps, two of which are not 0."""
    return np.stack([np.interp(np.arange(1, days + 1), known, unit) for unit in np.eye(len(known))], axis=1)


def _spans(steps: list[int]) -> str:
    """2, 6, 7, 8 → `steps 2 and 6 to 8`."""
    spans: list[list[int]] = []
    for step in steps:
        if spans and step == spans[-1][-1] + 1:
            spans[-1].append(step)
        else:
            spans.append([step])
    texts = [str(one[0]) if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in spans]
    listed = " and ".join((", ".join(texts[:-1]), texts[-1])) if len(texts) > 1 else texts[0]
    return f"step{'s' * (len(steps) > 1)} {listed}"
