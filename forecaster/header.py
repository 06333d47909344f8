"""The header of a model file, typed: everything a forecast needs besides the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import VARIABLES, Config
from forecaster.data.splits import Split
from forecaster.parsing import date, text, texts
from forecaster.printable import quoted

_SPLIT = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Refit:
    """The refit of the members on all candles, after the run was tested.

    Args:
        base: pooled quantiles of the standardised move in these candles.
        fitted_to: last date of these candles.
        newest: the newest date of each exchange calendar.
    """

    base: Float[np.ndarray, "horizon variable quantile"]
    fitted_to: np.datetime64
    newest: Mapping[str, np.datetime64]


@dataclass(frozen=True, eq=False)
class Init:
    """The run whose weights a training started from (`training.init`).

    Args:
        model: SHA-256 of its model file.
        fitted_to: last date that those weights were trained or selected on.
    """

    run: str
    model: str
    fitted_to: np.datetime64


@dataclass(frozen=True, eq=False)
class Header:
    """Header of a model file.

    Args:
        config: the resolved config.
        features: names of the network's inputs, in order.
        base: pooled quantiles of the standardised move.
        tickers: symbols it was trained on.
        split: last dates of training, validation and test.
        fitted_to: last date that the weights were trained or selected on, or those that they started from.
        fingerprint: of the panel it was trained on.
        versions: of the libraries that made it.
        scorecard: test results of run and baselines, as JSON (`Scorecard.read`).
        refit: None if no members were refitted on all candles.
        calendars: exchange calendars of the tickers it was trained on; empty where an older version did not store them.
        init: None if the networks started from random weights.
    """

    config: Config
    features: tuple[str, ...]
    base: Float[np.ndarray, "horizon variable quantile"]
    tickers: tuple[str, ...]
    split: Split
    fitted_to: np.datetime64
    fingerprint: str
    versions: Mapping[str, str]
    scorecard: Mapping[str, Any]
    refit: Refit | None = None
    calendars: tuple[str, ...] = ()
    init: Init | None = None

    def knows(self, ticker: str, calendar: str) -> bool:
        """Whether it was trained on the ticker or its exchange calendar; yes where it does not say on which."""
        return not self.calendars or calendar in self.calendars or ticker in self.tickers

    def as_json(self) -> dict[str, Any]:
        """The header as JSON-compatible data; equal headers give equal bytes."""
        ends = (self.split.train_end, self.split.validation_end, self.split.test_end)
        refit = self.refit and {
            "base": self.refit.base.tolist(),
            "fitted_to": str(self.refit.fitted_to),
            "newest": {calendar: str(date) for calendar, date in self.refit.newest.items()},
        }
        return {
            "config": self.config.model_dump(mode="json", exclude_none=True),
            "features": self.features,
            "base": self.base.tolist(),
            "tickers": self.tickers,
            "split": dict(zip(_SPLIT, map(str, ends), strict=True)),
            "fitted_to": str(self.fitted_to),
            "fingerprint": self.fingerprint,
            "versions": dict(self.versions),
            "scorecard": dict(self.scorecard),
            "production": refit,
            "calendars": self.calendars,
            "init": self.init and asdict(self.init) | {"fitted_to": str(self.init.fitted_to)},
        }


def parse_header(values: Mapping[str, Any]) -> Header:
    """Parse and validate a header: a model file may come from anywhere.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the JSON does not have the form of `Header.as_json`.
    """
    unknown = sorted(values.keys() - Header.__dataclass_fields__.keys() - {"production"})
    if unknown:
        raise ValueError(f"it has the unknown key {quoted(unknown[0])}")
    refit, init = values.get("production"), values.get("init")
    config = Config.model_validate_json(json.dumps(values["config"]))
    return Header(
        config=config,
        features=texts(values["features"]),
        base=_base(values["base"], config),
        tickers=texts(values["tickers"]),
        split=Split(*(date(values["split"][name]) for name in _SPLIT)),
        fitted_to=date(values["fitted_to"]),
        fingerprint=text(values["fingerprint"]),
        versions={text(name): text(version) for name, version in values["versions"].items()},
        scorecard=dict(values["scorecard"]),
        refit=_refit(refit, config) if refit else None,
        calendars=texts(values.get("calendars", ())),
        init=Init(text(init["run"]), text(init["model"]), date(init["fitted_to"])) if init else None,
    )


def _refit(values: Mapping[str, Any], config: Config) -> Refit:
    newest = {text(calendar): date(day) for calendar, day in values["newest"].items()}
    return Refit(_base(values["base"], config), date(values["fitted_to"]), newest)


def _base(values: Any, config: Config) -> Float[np.ndarray, "horizon variable quantile"]:
    base = np.asarray(values, dtype=np.float64)
    expected = (len(config.task.steps), len(VARIABLES), len(config.task.levels))
    if base.shape != expected:
        raise ValueError(f"its base quantiles have the shape {base.shape}, expected {expected}")
    if not np.isfinite(base).all():
        raise ValueError("its base quantiles hold NaN or infinity")
    return base
