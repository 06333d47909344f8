"""Export the panel as tensors: reproducible bytes, no pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from forecaster.data.panel import Panel
from forecaster.files import atomic_write


def write_npz(panel: Panel, target: Path) -> None:
    """Arrays `ohlc`, `observed`, `tickers` (unicode) and `dates` (datetime64[D])."""
    arrays = {
        "ohlc": panel.ohlc,
        "observed": panel.observed,
        "tickers": np.array(panel.tickers),
        "dates": panel.dates.astype("datetime64[D]"),
    }
    # numpy.savez would write the current time into the file.
    with (
        atomic_write(target, named=True) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def write_safetensors(panel: Panel, target: Path) -> None:
    """Tensors `ohlc` and `observed`; `tickers` and `dates` (ISO) are JSON lists in the header metadata."""
    from safetensors.numpy import save

    names = {"tickers": json.dumps(panel.tickers), "dates": json.dumps(panel.dates.astype(str).tolist())}
    blob = save({"ohlc": panel.ohlc, "observed": panel.observed}, metadata=names)
    with atomic_write(target, named=True) as part:
        part.write_bytes(_sort_header(blob))


EXPORTS: dict[str, Callable[[Panel, Path], None]] = {"npz": write_npz, "safetensors": write_safetensors}


def _sort_header(blob: bytes) -> bytes:
    """Rewrite the header with sorted keys: the library does not fix their order."""
    end = 8 + int.from_bytes(blob[:8], "little")
    text = json.dumps(json.loads(blob[8:end]), sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + blob[end:]
