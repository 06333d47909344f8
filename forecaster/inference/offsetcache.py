"""Cache of calibration corrections: computing one reads every ticker of the run, a forecast only its own."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.config.schema import CalibrationConfig
from forecaster.data.panel import Panel
from forecaster.errors import InputError, OutsideError
from forecaster.inference.calibration import FORM, Offsets, update_on
from forecaster.modelfile import load_tensors, save_tensors


@dataclass(frozen=True)
class OffsetCache:
    """A folder of corrections; file names are hashes of all inputs.

    Args:
        model: fingerprint of the model file.
    """

    folder: Path
    model: str

    def get(
        self, market: Panel, settings: CalibrationConfig, day: np.datetime64, compute: Callable[[], Offsets]
    ) -> Offsets:
        """The corrections valid on a day, from the cache or else computed and cached.

        A damaged file is computed again; a read-only folder only costs time.
        """
        path = self.folder / f"{self._key(market, settings, day)}.safetensors"
        with contextlib.suppress(InputError):
            tensors, header = load_tensors(path)
            return Offsets(np.array(header["dates"], "datetime64[D]"), tensors)
        offsets = compute()
        with contextlib.suppress(OutsideError):
            save_tensors(path, offsets.values, {"dates": offsets.dates.astype(str).tolist()})
        return offsets

    def _key(self, market: Panel, settings: CalibrationConfig, day: np.datetime64) -> str:
        """Hash of method, model, settings, and candles up to the date of the update: later ones don't enter it."""
        update = update_on(market.dates, settings, day)
        text = f"{FORM}{self.model}{settings.model_dump_json()}{update}{market.until(update).fingerprint}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]
