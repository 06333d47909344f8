"""Files that let several processes fit the folds of a walk-forward evaluation: shared inputs, and each fold's scores.

Features are computed once. The arrays are memory-mapped, so that all processes share their pages.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster import mapped
from forecaster.config.load import to_yaml
from forecaster.data.candlefile import read_candles, write_candles
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.errors import ForecasterError, InputError, OutsideError
from forecaster.evaluation.scores import SHARES, Scores
from forecaster.features.compute import Features
from forecaster.features.dataset import Dataset
from forecaster.files import atomic_write, is_absent, is_refusal, read_text, unreadable_errors, write_text
from forecaster.parsing import date, texts
from forecaster.printable import quoted
from forecaster.runs.config import load_config
from forecaster.tensorfile import PARSING_ERRORS, damaged, first_line, read_map, write_map
from forecaster.trial import Trial

_CONFIG, _SHARED, _SCORES = "config.yaml", "shared.json", "scores.safetensors"
_PANEL = ("offsets", "sessions", "prices", "close", "volume")
_FEATURES = ("values", "scale", "ready")
_KINDS = {"offsets": "i", "sessions": "i", "ready": "b"}
"""numpy's kind of the arrays that are not floats."""


@dataclass(frozen=True, eq=False)
class Walk:
    """A walk-forward evaluation: one trial, refitted for each fold of its test period.

    Args:
        whole: the trial whose test period is divided into folds.
        folds: the split of each fold.
    """

    folder: Path
    whole: Trial
    folds: tuple[Split, ...]

    def fold(self, number: int) -> Trial:
        """The trial of a fold."""
        return self.whole.over(self.folds[number])

    def place(self, number: int) -> Path:
        """The folder of a fold, counted from 0."""
        return self.folder / f"fold-{number}"

    def scores(self, number: int) -> Path:
        """The file of a finished fold's scores."""
        return self.place(number) / _SCORES


def save_walk(walk: Walk) -> None:
    """Writes the files that `load_walk` reads.

    Raises:
        OutsideError: the folder cannot be written.
    """
    panel, features = walk.whole.panel, walk.whole.dataset.features
    for owner, names in ((panel, _PANEL), (features, _FEATURES)):
        for name in names:
            _save_array(walk.folder / f"{name}.npy", getattr(owner, name))
    for place, one in enumerate(panel.covariates):
        write_candles(walk.folder / _covariate(place), one, "walk")
    shared = {
        "tickers": panel.tickers,
        "currencies": panel.currencies,
        "calendars": panel.calendars,
        "covariates": [one.ticker for one in panel.covariates],
        "features": features.names,
        "folds": [_dates(fold) for fold in (walk.whole.split, *walk.folds)],
    }
    write_text(walk.folder / _SHARED, json.dumps(shared))
    write_text(walk.folder / _CONFIG, to_yaml(walk.whole.config))


def _save_array(path: Path, array: np.ndarray) -> None:
    """Writes an array; a map of a file in the feature cache is linked instead, which takes no space."""
    with atomic_write(path) as part:
        source = mapped.file_of(array)
        if source is not None:
            part.unlink()
            with contextlib.suppress(OSError):  # another file system, or one without links
                os.link(source, part)
                return
        with part.open("wb") as file:
            np.save(file, array.view(np.int64) if array.dtype.kind == "M" else array, allow_pickle=False)


def _covariate(place: int) -> str:
    return f"covariate-{place}.parquet"


def is_saved(walk: Walk) -> bool:
    """Whether another process has written all files of the walk: the config comes last."""
    return (walk.folder / _CONFIG).is_file()


def load_walk(folder: Path, what: str = "files of the folds") -> Walk:
    """Reads what `save_walk` wrote; the arrays are memory-mapped.

    Args:
        what: the folder's files, as an error names them.

    Raises:
        InputError: a file is missing or damaged.
        OutsideError: the system refuses to read one, which may be whole.
    """
    with unreadable_errors(folder):
        try:
            return _load(folder)
        except OutsideError:
            raise
        except (OSError, ForecasterError, *PARSING_ERRORS) as error:
            if is_refusal(error) and not is_absent(error):
                raise
            raise InputError(
                f"the {what} in {folder} are damaged: {first_line(error)}. Delete the folder and run the same command "
                "again."
            ) from error


def _load(folder: Path) -> Walk:
    shared: dict[str, Any] = json.loads(read_text(folder / _SHARED))
    arrays = {name: mapped.read_array(folder / f"{name}.npy") for name in (*_PANEL, *_FEATURES)}
    panel = Panel(
        tickers=texts(shared["tickers"]),
        currencies=texts(shared["currencies"]),
        calendars=texts(shared["calendars"]),
        covariates=tuple(
            read_candles(folder / _covariate(place), ticker)
            for place, ticker in enumerate(texts(shared.get("covariates", ())))
        ),
        **{name: arrays[name] for name in _PANEL} | {"sessions": arrays["sessions"].view("datetime64[D]")},
    )
    names = texts(shared["features"])
    _check_arrays(arrays, len(panel), len(names))
    features = Features(names=names, **{name: arrays[name] for name in _FEATURES})
    config = load_config(folder / _CONFIG)
    whole, *folds = (_split(dates) for dates in shared["folds"])
    return Walk(folder, Trial(config, Dataset(panel, features, config.task.steps), whole), tuple(folds))


def _check_arrays(arrays: Mapping[str, np.ndarray], tickers: int, features: int) -> None:
    rows = len(arrays["sessions"])
    expected = {"offsets": (tickers + 1,), "prices": (rows, 4), "values": (rows, features)}
    for name, array in arrays.items():
        if array.shape != (shape := expected.get(name, (rows,))):
            raise ValueError(f"{name}.npy has the shape {array.shape}, expected {shape}")
        if array.dtype.kind != _KINDS.get(name, "f"):
            raise ValueError(f"{name}.npy holds {array.dtype}")
    offsets = arrays["offsets"]
    if offsets[0] != 0 or offsets[-1] != rows or (np.diff(offsets) < 1).any():
        raise ValueError("offsets.npy does not divide the rows among the tickers")


def save_scores(path: Path, scores: Mapping[str, Scores]) -> None:
    """Writes the scores of a fold's forecasters, atomically."""
    tensors: dict[str, np.ndarray] = {}
    for place, one in enumerate(scores.values()):
        fields = {name: value for name, value in vars(one).items() if name != "inside" and value is not None}
        fields |= {f"inside{band}": hits for band, hits in enumerate(one.inside) if hits is not None}
        tensors |= {f"{place}/{name}": value for name, value in fields.items()}
    write_map(path, tensors, {"names": list(scores)})


def load_scores(path: Path) -> dict[str, Scores]:
    """Reads what `save_scores` wrote.

    Raises:
        InputError: the file is missing or damaged.
        OutsideError: the system refuses to read it.
    """
    tensors, header = read_map(path)
    scores = {}
    try:
        for place, name in enumerate(texts(header["names"])):
            fields = {key.partition("/")[2]: value for key, value in tensors.items() if key.startswith(f"{place}/")}
            inside = tuple(fields.pop(f"inside{band}", None) for band in range(len(SHARES)))
            scores[name] = Scores(inside=inside, **fields)
    except PARSING_ERRORS as error:
        raise damaged(path, first_line(error)) from error
    return scores


def _dates(split: Split) -> dict[str, str | None]:
    return {name: None if end is None else str(end) for name, end in vars(split).items()}


def _split(dates: Mapping[str, str | None]) -> Split:
    if dates.keys() != Split.__dataclass_fields__.keys():
        raise ValueError(f"{quoted(dates)} is not a split")
    return Split(**{name: None if value is None else date(value) for name, value in dates.items()})  # type: ignore[arg-type]


def unfinished(walk: Walk) -> Sequence[int]:
    """Numbers of the folds without scores yet."""
    return [number for number in range(len(walk.folds)) if not walk.scores(number).is_file()]
