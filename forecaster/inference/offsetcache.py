"""Corrections kept beside the run: a calibration reads every ticker of the run, a forecast only its own."""

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
    """A folder of corrections, each named by all that it is a function of.

    Args:
        model: fingerprint of the model file.
    """

    folder: Path
    model: str

    def get(
        self, market: Panel, settings: CalibrationConfig, day: np.datetime64, compute: Callable[[], Offsets]
    ) -> Offsets:
        """The corrections in force on a day; computed and kept where they are not known yet.

        A file that cannot be read is computed again, and a folder that cannot be written costs only time.
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
        """Form, model, settings, and the candles up to the date of the last correction: nothing later has a part."""
        update = update_on(market.dates, settings, day)
        text = f"{FORM}{self.model}{settings.model_dump_json()}{update}{market.until(update).fingerprint}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]
