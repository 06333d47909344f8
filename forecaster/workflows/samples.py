"""Joint paths for other programs: as an array, as a frame, and as the covariance of returns over some days."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecaster.data.coherence import CLOSE
from forecaster.data.dates import DateLike, to_date
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError
from forecaster.events import Say
from forecaster.inference.coupling import ALL
from forecaster.inference.joint import JointPaths
from forecaster.mapped import large_arrays_beside_store
from forecaster.runs.joint import find, joint_paths
from forecaster.runs.missing import fetch_missing

if TYPE_CHECKING:
    import pandas as pd


@large_arrays_beside_store
def samples(
    tickers: str | Sequence[str],
    *,
    days: int | None = None,
    paths: int = 1_000,
    seed: int = 0,
    run: str = "latest",
    as_of: DateLike | None = None,
    offline: bool = False,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> JointPaths:
    """Draws joint candle paths of tickers: path i of each follows the same past date.

    `prices` of the result is the array [path, ticker, step, price], float32, in each ticker's currency; `to_frame`
    makes a frame of it.

    Args:
        days: sessions ahead, up to the run's last step; 5 if absent, or all of a run that has fewer.
        seed: the same seed, tickers and candles draw the same paths.
        offline: fetch nothing; otherwise a ticker, or a covariate of the run, that the store lacks is fetched.

    Raises:
        UnknownNameError: no such run, or, offline, no such ticker.
        OutsideError: what the store lacks could not be fetched.
        InputError: the run has no paths of so many days, or a history is too short.
    """
    return _draw(tickers, days, paths, seed, run, as_of, offline, data_dir, runs_dir, say, ALL)


@large_arrays_beside_store
def covariance(
    tickers: str | Sequence[str],
    *,
    days: int | None = None,
    paths: int = 20_000,
    seed: int = 0,
    run: str = "latest",
    as_of: DateLike | None = None,
    offline: bool = False,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> pd.DataFrame:
    """Covariance of the returns (close / last close − 1) over the next sessions, each in its own currency.

    Rows and columns are the tickers, as PyPortfolioOpt and skfolio take them. Over `days` sessions, not annualised.

    Args:
        days: as in `samples`.
        paths: the correlation of two independent tickers is then known to within 0.7 %.

    Raises:
        UnknownNameError, OutsideError, InputError: as in `samples`.
    """
    import pandas as pd

    joint = _draw(tickers, days, paths, seed, run, as_of, offline, data_dir, runs_dir, say, (CLOSE,))
    start = np.array([one.last_close for one in joint.forecasts])
    returns = joint.of(CLOSE)[:, :, -1].astype(np.float64) / start - 1
    names = list(joint.tickers)
    return pd.DataFrame(np.atleast_2d(np.cov(returns, rowvar=False)), index=names, columns=names)


def _draw(
    tickers: str | Sequence[str],
    days: int | None,
    paths: int,
    seed: int,
    run: str,
    as_of: DateLike | None,
    offline: bool,
    data_dir: Path | str,
    runs_dir: Path | str,
    say: Say,
    variables: tuple[int, ...],
) -> JointPaths:
    names = normalise_all(tickers)
    if not names:
        raise InputError("there are no tickers: name at least one of the store.")
    one = find(Path(runs_dir), run, say)
    if not offline:
        fetch_missing(one, names, Path(data_dir), say=say)
    return joint_paths(
        one,
        open_store(data_dir),
        names,
        days=days,
        count=paths,
        seed=seed,
        as_of=to_date(as_of, "as_of"),
        data_dir=Path(data_dir),
        variables=variables,
    )
