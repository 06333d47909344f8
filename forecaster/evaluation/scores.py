"""Losses of one forecaster at all origins of a period: the arrays that every table is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster import mapped
from forecaster.axes import Bool, Float, Int
from forecaster.data.coherence import CLOSE, HIGH, LOW
from forecaster.data.splits import Period
from forecaster.evaluation import metrics
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.volatility import expected_range, variance

SHARES = (0.5, 0.8, 0.9)
"""Central bands whose coverage is reported."""

QUANTITIES = ("range", "volatility")
"""Quantities derived from the width of the bands whose forecast is scored."""

_LEAST = 1e-4
"""Smallest range or move, one basis point: QLIKE is infinite for a candle that did not move."""

_BLOCK = 4_096
"""Origins forecast at once: limits memory."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Losses on log(price / last close); meaningless where `known` is false.

    Stored as float32, because a test period has millions of them; means and tests use float64.

    Args:
        inside: for each of `SHARES`, whether the outcome lay in the band; None if the forecast lacks that band. A point
            forecast, whose quantiles are all equal, has none.
        crps: sum over the origins whose outcome is known, as are `right` and `sided`.
        right: number of origins whose median was on the right side of the last close.
        sided: number of origins where neither median nor outcome equals the last close.
        widths: QLIKE of each of `QUANTITIES`; None if the forecast has no bands.
        scored: prices that count, see `Dataset.scored`; all if absent.
    """

    known: Bool[np.ndarray, "origin horizon"]
    pinball: Float[np.ndarray, "origin horizon variable"]
    error: Float[np.ndarray, "origin horizon variable"]
    inside: tuple[Bool[np.ndarray, "origin horizon variable"] | None, ...]
    crps: Float[np.ndarray, "horizon variable"]
    right: Int[np.ndarray, "horizon variable"]
    sided: Int[np.ndarray, "horizon variable"]
    widths: Float[np.ndarray, "origin horizon quantity"] | None = None
    scored: Bool[np.ndarray, "origin variable"] | None = None

    @property
    def has_bands(self) -> bool:
        """False for a point forecast, such as the last close carried forward."""
        return any(band is not None for band in self.inside)

    @classmethod
    def of(
        cls,
        known: Bool[np.ndarray, "origin horizon"],
        pinball: Float[np.ndarray, "origin horizon variable"],
        error: Float[np.ndarray, "origin horizon variable"],
        inside: tuple[Bool[np.ndarray, "origin horizon variable"] | None, ...],
        crps: Float[np.ndarray, "origin horizon variable"],
        direction: Float[np.ndarray, "origin horizon variable"],
        widths: Float[np.ndarray, "origin horizon quantity"] | None = None,
        scored: Bool[np.ndarray, "origin variable"] | None = None,
    ) -> Scores:
        """Keeps some losses by origin and sums the others over origins.

        Args:
            direction: 1 where the median was on the right side of the last close, else 0; NaN where there is no side.
        """
        # Axes: origin, horizon, variable.
        counted = known[..., None] if scored is None else known[..., None] & scored[:, None]
        return cls(
            known=known,
            pinball=pinball.astype(np.float32),
            error=error.astype(np.float32),
            inside=inside,
            crps=np.where(counted, crps, 0.0).sum(axis=0),
            right=(counted & (direction == 1)).sum(axis=0),
            sided=(counted & np.isfinite(direction)).sum(axis=0),
            widths=None if widths is None else widths.astype(np.float32),
            scored=scored,
        )

    @classmethod
    def joined(cls, parts: Sequence[Scores]) -> Scores:
        """Concatenates the scores of several blocks of origins."""
        if len(parts) == 1:
            return parts[0]
        joint = _Joint(sum(len(part.known) for part in parts))
        for part in parts:
            joint.add(part)
        return joint.scores()

    def as_point(self) -> Scores:
        """The same scores without bands: for a forecast whose quantiles all equal its median."""
        return replace(self, inside=(None,) * len(SHARES), widths=None)


class _Joint:
    """Gathers the scores of blocks of origins in arrays of the whole length: beside them, only a block is held."""

    _ROWS = ("known", "pinball", "error", "widths", "scored")
    _SUMS = ("crps", "right", "sided")

    def __init__(self, origins: int) -> None:
        self._origins = origins
        self._filled = 0
        self._arrays: dict[str, np.ndarray] = {}
        self._missing: set[str] = set()
        self._sums: dict[str, list[np.ndarray]] = {name: [] for name in self._SUMS}

    def add(self, part: Scores) -> None:
        """Take in the scores of the next origins."""
        block = slice(self._filled, self._filled + len(part.known))
        rows = {name: getattr(part, name) for name in self._ROWS}
        rows |= {f"inside{band}": hits for band, hits in enumerate(part.inside)}
        for name, values in rows.items():
            if values is None:
                self._missing.add(name)  # what one block lacks, the whole lacks
                continue
            if name not in self._arrays:
                self._arrays[name] = mapped.empty((self._origins, *values.shape[1:]), values.dtype)
            self._arrays[name][block] = values
        for name, sums in self._sums.items():
            sums.append(getattr(part, name))
        self._filled = block.stop

    def scores(self) -> Scores:
        """The scores of all origins."""
        arrays = {name: None if name in self._missing else values for name, values in self._arrays.items()}
        inside = tuple(arrays.pop(f"inside{band}", None) for band in range(len(SHARES)))
        sums = {name: np.sum(parts, axis=0) for name, parts in self._sums.items()}
        return Scores(inside=inside, **arrays, **sums)  # type: ignore[arg-type]


def score(forecaster: Forecaster, dataset: Dataset, rows: Rows, period: Period, levels: tuple[float, ...]) -> Scores:
    """Compares a forecaster's quantiles with the actual prices."""
    return score_all({"": forecaster}, dataset, rows, period, levels)[""]


def score_all(
    forecasters: Mapping[str, Forecaster], dataset: Dataset, rows: Rows, period: Period, levels: tuple[float, ...]
) -> dict[str, Scores]:
    """`score` of several forecasters in one pass over the origins, whose outcomes are looked up once."""
    joint = {name: _Joint(len(rows)) for name in forecasters}
    spread: set[str] = set()
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        # An outcome that is not known is NaN; as 0 it gives finite losses, which `known` leaves out of every mean.
        known, outcomes = dataset.known(block, period), np.nan_to_num(dataset.moves(block))
        scored = dataset.scored(block)
        for name, one in forecasters.items():
            quantiles = one(block)
            joint[name].add(_score_block(quantiles, outcomes, known, levels, scored))
            # One block with any spread is enough: in another, no price may have moved.
            if name not in spread and (quantiles[..., -1] > quantiles[..., 0]).any():
                spread.add(name)
    joined = {name: one.scores() for name, one in joint.items()}
    return {name: one if name in spread else one.as_point() for name, one in joined.items()}


def _score_block(
    quantiles: metrics.Quantiles,
    outcomes: metrics.Outcomes,
    known: Bool[np.ndarray, "origin horizon"],
    levels: tuple[float, ...],
    scored: Bool[np.ndarray, "origin variable"],
) -> Scores:
    pinball, crps = metrics.pinball_and_crps(quantiles, outcomes, levels)
    return Scores.of(
        known=known,
        pinball=pinball,
        error=metrics.absolute_error(quantiles, outcomes, levels),
        inside=tuple(metrics.inside(quantiles, outcomes, levels, share) for share in SHARES),
        crps=crps,
        direction=metrics.direction(quantiles, outcomes, levels),
        widths=_widths(quantiles, outcomes, levels) if len(levels) > 1 else None,
        scored=scored,
    )


def _widths(
    quantiles: metrics.Quantiles, outcomes: metrics.Outcomes, levels: tuple[float, ...]
) -> Float[np.ndarray, "origin horizon quantity"]:
    # QLIKE divides by one and takes the log of the other: both need the floor.
    spans = np.maximum(outcomes[..., HIGH] - outcomes[..., LOW], _LEAST)
    moves = np.maximum(np.abs(outcomes[..., CLOSE]), _LEAST)
    ranges = np.maximum(expected_range(quantiles, levels), _LEAST)
    variances = np.maximum(variance(quantiles, levels), _LEAST**2)
    return np.stack([metrics.qlike(ranges, spans), metrics.qlike(variances, moves**2)], axis=-1)
