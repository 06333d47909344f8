"""Cache of a run's market view, in the run's folder; valid until one of its tickers' files changes."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from forecaster.data.memorystore import MemoryStore
from forecaster.data.panel import Panel
from forecaster.data.store import Store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError, OutsideError
from forecaster.features.candles import Market
from forecaster.inference.calibration import FORM, OffsetCache
from forecaster.inference.ensemble import Member
from forecaster.inference.market import MarketView, load_view, save_view, view_market
from forecaster.modelfile import Model

CALIBRATION, MARKET = "calibration", "market"
"""Cache folders beside a run's model file: corrections of its calibration, and market views."""

_KEPT = 30
"""Market views kept in a run's cache; older ones are deleted."""

_EMPTY = MarketView(means=Market({}, {}))
"""Not None: the tickers to forecast must not stand in for the market."""


def cached_market(
    folder: Path,
    store: Store,
    model: Model,
    members: Sequence[Member],
    days: np.ndarray,
    own: Callable[[np.datetime64], Panel | None],
    production: bool = False,
) -> MarketView | None:
    """The market view of a run on some days, from the cache if valid; None for a run that needs none.

    Saves reading hundreds of files for one forecast. A damaged view is computed again; a read-only folder only costs
    time.

    Args:
        folder: of the run.
        own: the candles of the run's own tickers as known on a day; None if there are none.
        production: the members are those refitted on all candles.
    """
    if "market" not in model.config.features and not model.config.calibration.rolling:
        return None
    if isinstance(store, MemoryStore) and not store.given.keys().isdisjoint(_tickers(model)):
        panel = own(days.max())  # of candles that are on no disk nothing is kept on it
        return _EMPTY if panel is None else view_market(members, model.config, panel, days)
    fingerprint = hashlib.sha256(model.path.read_bytes() + bytes([production])).hexdigest()
    path = folder / MARKET / f"{_key(fingerprint, store, model, days)}.safetensors"
    with contextlib.suppress(InputError):
        return load_view(path)
    panel = own(days.max())
    if panel is None:
        return _EMPTY
    view = view_market(members, model.config, panel, days, OffsetCache(folder / CALIBRATION, fingerprint))
    with contextlib.suppress(OutsideError):
        save_view(path, view)
        _delete_old(path.parent)
    return view


def _key(fingerprint: str, store: Store, model: Model, days: np.ndarray) -> str:
    """Hash of method, model, days, and inode, size and time of each ticker's file: a fetch changes these."""
    states = [FORM, str(store.root.resolve()), fingerprint, *days.astype(str)]
    states += [store.state(ticker) for ticker in _tickers(model)]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()[:32]


def _tickers(model: Model) -> tuple[str, ...]:
    """The tickers that the view depends on."""
    return (*model.header.tickers, *normalise_all(model.config.covariates))


def _delete_old(folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-_KEPT]:
        path.unlink(missing_ok=True)
