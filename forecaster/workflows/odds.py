"""Odds of prices over the next days: closes beyond them, touches on the way, sizes; beside a driftless random walk."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path

from forecaster.data.dates import DateLike, to_date
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise
from forecaster.errors import InputError
from forecaster.events import Say
from forecaster.inference.joint import require_level
from forecaster.mapped import large_arrays_beside_store
from forecaster.positions.holdings import MOST
from forecaster.positions.measures import Number
from forecaster.printable import quoted
from forecaster.runs.joint import find, joint_paths
from forecaster.runs.missing import fetch_missing
from forecaster.runs.priceodds import Odds, read_odds

PATHS = 20_000
"""Paths drawn: a share of 5 % is then known to within 0.3 %."""


@large_arrays_beside_store
def odds(
    ticker: str,
    *,
    above: Number | Sequence[Number] = (),
    below: Number | Sequence[Number] = (),
    touch: Number | Sequence[Number] = (),
    within: int | None = None,
    size: Number | None = None,
    level: Number = 95,
    run: str = "latest",
    as_of: DateLike | None = None,
    paths: int = PATHS,
    seed: int = 0,
    offline: bool = False,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> Odds:
    """Tells how probable it is that a ticker closes beyond prices, or touches them on the way.

    Args:
        above, below: prices, in the ticker's currency, beyond which it may close.
        touch: prices that a high or low may touch; of two of them also which comes first.
        within: sessions ahead, up to the run's last step; 5 if absent, or all of a run that has fewer.
        size: money; gives the most shares with which the chance of losing more by the last close is 100 − level %.
        level: of `size`, in per cent, above 50 and up to 99; beyond 95 the run must have a fit of its tails.
        paths: number of paths drawn.
        seed: of the paths.
        offline: fetch nothing; otherwise a ticker, or a covariate of the run, that the store lacks is fetched.

    Raises:
        UnknownNameError: no such run, or, offline, no such ticker.
        OutsideError: what the store lacks could not be fetched.
        InputError: a price that cannot be asked about, or days or level that the run does not have.
    """
    asked = _asked(above=above, below=below, touch=touch)
    _require_size(size)
    name, one = normalise(ticker), find(Path(runs_dir), run, say)
    if not offline:
        fetch_missing(one, [name], Path(data_dir), say=say)
    joint = joint_paths(
        one,
        open_store(data_dir),
        [name],
        days=within,
        count=paths,
        seed=seed,
        as_of=to_date(as_of, "as_of"),
        data_dir=Path(data_dir),
        option="--within",
    )
    require_level(level, joint.forecasts if size is not None else ())
    return read_odds(joint, asked, size, level)


def _require_size(size: object) -> None:
    """Check the money that may be lost, if there is a question of it."""
    number = float(size) if isinstance(size, Real) else math.nan
    if size is not None and not 0 < number <= MOST:
        shown = f"{number:g}" if isinstance(size, Real) else quoted(size)
        raise InputError(f"--size is {shown}: expected the money that may be lost, above 0 and up to {MOST:g}.")


def _asked(**given: object) -> list[tuple[str, float]]:
    """Kind and price of each question, checked."""
    asked = [(kind, price) for kind, prices in given.items() for price in _several(kind, prices)]
    for kind, price in asked:
        if not 0 < price <= MOST:
            raise InputError(f"--{kind} is {price:g}: expected a price above 0 and up to {MOST:g}.")
    return asked


def _several(kind: str, given: object) -> list[float]:
    """One price or a list of them; a text is neither, and would be taken apart into its letters."""
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else [given]
    prices = [float(one) for one in listed if isinstance(one, Real)]
    if len(prices) < len(listed):
        raise InputError(f"--{kind} is {quoted(given)}: expected a price, or a list of prices.")
    return prices
