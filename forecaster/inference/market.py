"""The run's own tickers as a forecast needs them: market means, and corrections of the calibration."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from forecaster.axes import Int, Shaped
from forecaster.baselines import FittedBaseline
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.errors import InputError
from forecaster.features.blocks import measure_market
from forecaster.features.candles import Market
from forecaster.features.dataset import Dataset
from forecaster.features.tail import tail_dataset
from forecaster.inference.calibration import OffsetCache, Offsets, first_origin, rolling_offsets
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.sweep import Reach
from forecaster.tensorfile import PARSING_ERRORS, first_line, load_tensors, part_of, save_tensors

Days = Shaped[np.ndarray, " day"]


@dataclass(frozen=True, eq=False)
class MarketView:
    """The run's tickers as known on the forecast days.

    Args:
        means: by date; None if the run's features read none.
        newest: last session of each ticker that has candles.
        calendars: exchange calendar of each of these.
        offsets: corrections valid on each day; empty if the run is not calibrated.
    """

    means: Market | None = None
    newest: dict[str, np.datetime64] = field(default_factory=dict)
    calendars: dict[str, str] = field(default_factory=dict)
    offsets: dict[np.datetime64, Offsets] = field(default_factory=dict)


def view_market(
    members: Sequence[Member], config: Config, market: Panel, days: Days, cache: OffsetCache | None = None
) -> MarketView:
    """Measure market means and calibration; computes features of all tickers only if a correction is not cached.

    Args:
        market: candles of the run's tickers up to the last of the days.
        days: dates of the forecast origins.
        cache: of corrections; without it they are computed each time.
    """
    last = market.sessions[market.offsets[1:] - 1]
    means = measure_market(market) if "market" in config.features else None
    return MarketView(
        means=means,
        newest=dict(zip(market.tickers, last, strict=True)),
        calendars=dict(zip(market.tickers, market.calendars, strict=True)),
        offsets=_offsets(members, config, market, means, days, cache) if config.calibration.rolling else {},
    )


def lookback_dataset(
    members: Sequence[Member], config: Config, panel: Panel, origins: Int[np.ndarray, " ticker"], market: Market | None
) -> Dataset:
    """A dataset with just as much history as forecasts from the origins on need.

    Args:
        origins: first origin of each ticker, in sessions from its start.
        market: market means, for the market group.
    """
    reaches = [member.reach for member in members if isinstance(member, FittedBaseline)]
    # A baseline that does not declare how far it looks back (None) needs whole histories.
    known = [reach for reach in reaches if reach is not None]
    back = max([Reach.of(config.task).warm, *known]) if len(known) == len(reaches) else int(panel.lengths.max())
    return tail_dataset(panel, config.features, config.task.steps, np.maximum(origins - back, 0), market)


def _places(panel: Panel, date: np.datetime64) -> Int[np.ndarray, " ticker"]:
    """Sessions of each ticker before a date."""
    return panel.last_rows(date - np.timedelta64(1, "D")) + 1 - panel.offsets[:-1]


def _offsets(
    members: Sequence[Member],
    config: Config,
    market: Panel,
    means: Market | None,
    days: Days,
    cache: OffsetCache | None,
) -> dict[np.datetime64, Offsets]:
    """Corrections for each day, each from the errors known on that day alone."""
    settings, task = config.calibration, config.task
    reach = Reach.of(task, span=settings.window)
    # Later steps are not calibrated, so they need not be forecast here.
    steps = max((place + 1 for place, step in enumerate(task.steps) if step in settings.steps), default=1)
    oldest = first_origin(market.dates, settings, days.min())
    # Lazy: if every correction is in the cache, no feature is computed.
    known = functools.cache(lambda: lookback_dataset(members, config, market, _places(market, oldest), means))
    forecaster = functools.cache(lambda: ensemble(members, known(), reach, config.weights, steps))

    def compute(day: np.datetime64) -> Offsets:
        return rolling_offsets(forecaster(), known(), settings, task.levels, day, day, task.context)

    if cache is None:
        return {day: compute(day) for day in days}
    return {day: cache.get(market, settings, day, functools.partial(compute, day)) for day in days}


def save_view(path: Path, view: MarketView) -> None:
    """Write a view to one file.

    Raises:
        OutsideError: the folder is not writable.
    """
    arrays: dict[str, np.ndarray] = {}
    if view.means is not None:
        arrays |= {f"dates/{name}": dates.astype(np.int64) for name, dates in view.means.dates.items()}
        arrays |= {f"means/{name}": means for name, means in view.means.means.items()}
    for day, offsets in view.offsets.items():
        arrays[f"updates/{day}"] = offsets.dates.astype(np.int64)
        arrays |= {f"offsets/{day}/{name}": values for name, values in offsets.values.items()}
    header = {
        "has_means": view.means is not None,
        "newest": {ticker: str(date) for ticker, date in view.newest.items()},
        "calendars": view.calendars,
        "days": [str(day) for day in view.offsets],
    }
    save_tensors(path, arrays, header)


def load_view(path: Path) -> MarketView:
    """Read what `save_view` wrote.

    Raises:
        InputError: the file is missing or damaged.
    """
    arrays, header = load_tensors(path)
    try:
        dates = {name: array.astype("datetime64[D]") for name, array in part_of(arrays, "dates/").items()}
        return MarketView(
            means=Market(dates, part_of(arrays, "means/")) if header["has_means"] else None,
            newest={ticker: np.datetime64(date) for ticker, date in header["newest"].items()},
            calendars=dict(header["calendars"]),
            offsets={
                np.datetime64(day): Offsets(
                    arrays[f"updates/{day}"].astype("datetime64[D]"), part_of(arrays, f"offsets/{day}/")
                )
                for day in header["days"]
            },
        )
    except PARSING_ERRORS as error:
        raise InputError(f"{path} is damaged: {first_line(error)}.") from error
