"""The sections of a run's YAML. Field docstrings appear in the JSON Schema, in editors and in the docs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_serializer, model_validator

from forecaster.config.section import Explained, Section
from forecaster.config.tracking import TrackingConfig
from forecaster.config.tune import TuneConfig

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
VARIABLES = ("open", "high", "low", "close")

WARM_UP = 250
"""Warm-up of dense supervision: candles that the network reads before the first origin of a chunk."""

SPAN = r"^[1-9][0-9]*[ym]$"


def _span(text: str) -> str:
    if not re.match(SPAN, text):
        raise ValueError("expected a span such as 2y or 18m")
    return text


Span = Annotated[str, AfterValidator(_span), Field(json_schema_extra={"pattern": SPAN})]
Steps = Annotated[int, Field(ge=1, le=250)]


class SplitConfig(Section):
    """Training, validation and test by date: spans counted back from the panel's last date, or three explicit dates."""

    validation: Span | None = None
    """Length of the validation period before the test, such as `2y` or `18m`."""
    test: Span | None = None
    """Length of the test period, which ends with the panel's last date, such as `2y`."""
    train_end: dt.date | None = None
    """Last training date (with the next two, instead of spans)."""
    validation_end: dt.date | None = None
    """Last validation date."""
    test_end: dt.date | None = None
    """Last test date."""

    @model_validator(mode="after")
    def _one_of_two_ways(self) -> SplitConfig:
        spans, dates = (self.validation, self.test), (self.train_end, self.validation_end, self.test_end)
        by_spans = all(spans) and not any(dates)
        by_dates = all(dates) and not any(spans)
        if not by_spans and not by_dates:
            raise ValueError("expected `validation` and `test`, or `train_end`, `validation_end` and `test_end`")
        given = [date for date in dates if date is not None]
        if given != sorted(set(given)):
            raise ValueError("expected train_end < validation_end < test_end")
        return self


class DataConfig(Section):
    """Which candles the run uses."""

    tickers: Literal["all"] | tuple[str, ...] = "all"
    """`all` tickers in the store, or a list of symbols."""
    exclude: tuple[str, ...] = ()
    """Symbols to exclude from `all`."""
    start: dt.date | None = None
    """First date to use; the start of the history if absent."""
    end: dt.date | None = None
    """Last date to use; the end of the history if absent."""
    split: SplitConfig = SplitConfig(validation="2y", test="2y")
    """Training, validation and test periods."""

    @field_validator("tickers")
    @classmethod
    def _some_tickers(cls, tickers: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not tickers:
            raise ValueError("expected `all` or at least one symbol")
        return tickers

    @model_validator(mode="after")
    def _in_order(self) -> DataConfig:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"a start before the end, but {self.start} is not before {self.end}")
        return self


class TaskConfig(Section):
    """What the network predicts, and from what."""

    horizon: Steps | tuple[Steps, ...] = 5
    """Sessions ahead: a number M for steps 1 to M, or an ascending list of steps. 1 is N-to-1."""
    context: Annotated[int, Field(ge=1, le=2000)] = 40
    """Candles read before a forecast: exactly this many for `window`, at least this many for `dense`."""
    supervision: Literal["dense", "window"] = "dense"
    """`dense`: a loss at every candle (N-to-N); `window`: only at the last candle of each window."""
    decoder: Literal["direct", "recursive", "seq2seq"] = "direct"
    """`direct`: all steps at once; `recursive`: rollout of one step fed back as input; `seq2seq`: recurrent decoder."""
    teacher_forcing: Annotated[float, Field(ge=0, le=1)] = 0.0
    """`seq2seq` only: probability that training feeds the decoder the true candle, not its own prediction."""
    head: Literal["scale", "quantile", "point"] = "scale"
    """`scale`: one log-scale times the training quantiles; `quantile`: free quantiles; `point`: only the median."""

    @field_validator("horizon")
    @classmethod
    def _ascending(cls, horizon: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(horizon, tuple) and (not horizon or list(horizon) != sorted(set(horizon))):
            raise ValueError("expected a number of sessions or a list of steps in ascending order")
        return horizon

    @property
    def steps(self) -> tuple[int, ...]:
        """The horizon as a tuple of steps, in sessions."""
        return self.horizon if isinstance(self.horizon, tuple) else tuple(range(1, self.horizon + 1))

    @property
    def learnt(self) -> tuple[int, ...]:
        """The trained steps: all, or the first one of a recursive decoder, which reaches the rest by rollout."""
        return self.steps[:1] if self.decoder == "recursive" else self.steps

    @property
    def read(self) -> int:
        """Candles read before a forecast: exactly this many for `window`, at least this many for `dense`."""
        return self.context if self.supervision == "window" else max(WARM_UP, self.context)

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantile levels that the head predicts."""
        return (0.5,) if self.head == "point" else LEVELS


class TrainingConfig(Section):
    """Optimisation: AdamW, learning-rate schedule, early stopping, device."""

    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 200
    """Optimiser steps."""
    batch: Annotated[int, Field(ge=1, le=65_536)] = 64
    """Batch size: windows or chunks per step."""
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """Peak learning rate; the schedule is linear warm-up, then cosine decay to 0."""
    warmup: Annotated[int, Field(ge=0, le=10_000_000)] = 50
    """Warm-up steps: the learning rate rises linearly from near 0."""
    weight_decay: Annotated[float, Field(ge=0, le=1e6)] = 1e-3
    """AdamW's decoupled weight decay."""
    clip: Annotated[float, Field(gt=0)] = 1.0
    """Gradient clipping: maximum norm."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Random seed of initial weights and sampling: the same seed gives the same bytes."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train; `auto` uses a GPU if available."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of matrix products, except RNN and GRU layers on a CPU; `bfloat16` needs hardware support."""
    refit: bool = False
    """`false`: early stopping, keep the best step by validation; `true`: train on training + validation, all steps."""
    through: Literal["validation", "latest"] = "validation"
    """`latest`: after the test, refit on all candles with the number of steps chosen in evaluation, for production."""
    init: str | None = None
    """Fine-tuning: a run whose weights training starts from, such as `pretrained`; random weights if absent."""


class CalibrationConfig(Section):
    """Rolling calibration of quantiles by the errors of the latest days with a known outcome."""

    rolling: bool = False
    """Correct the coverage over the last `window` sessions, for the model and all baselines."""
    steps: tuple[Steps, ...] = (1,)
    """Steps to calibrate: step 1 by a shift per level, later steps only by the width of the bands."""
    window: Annotated[int, Field(ge=50, le=20_000)] = 250
    """Sessions whose errors are used."""
    every: Annotated[int, Field(ge=1, le=20_000)] = 10
    """Sessions between corrections."""


class EvaluationConfig(Section):
    """Which baselines the forecast is compared with."""

    baselines: tuple[str, ...] = ("last-close",)
    """Additional baselines; the simple formulas, which every run must beat, are always scored."""


class ModelConfig(Explained):
    """A registered network; all other keys are constructor parameters."""

    model_config = ConfigDict(extra="allow")

    name: str
    """Registry name, listed by `forecast models`, such as `gru`."""
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Weight of this member in an ensemble's mean."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Constructor parameters as given in the YAML."""
        return dict(self.model_extra or {})


class Config(Section):
    """The configuration of one run."""

    data: DataConfig = DataConfig()
    """Which candles the run uses."""
    features: tuple[str, ...] = ("base", "vol")
    """Feature groups, in order."""
    covariates: tuple[str, ...] = ()
    """Tickers of the store whose candles become features for all others, such as `[^VIX]`: see `forecast features`."""
    model: ModelConfig | None = None
    """The network."""
    members: tuple[ModelConfig, ...] = ()
    """Ensemble: several networks whose forecasts are averaged, instead of `model`."""
    task: TaskConfig = TaskConfig()
    """What the network predicts, and from what."""
    training: TrainingConfig = TrainingConfig()
    """Optimisation: AdamW, learning-rate schedule, early stopping, device."""
    calibration: CalibrationConfig = CalibrationConfig()
    """Rolling calibration of quantiles by recent errors."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Baselines to compare with."""
    tune: TuneConfig | None = None
    """What `forecast tune` searches."""
    # Left out of every dump, and so out of model files, fingerprints and looks; `to_yaml` writes it.
    tracking: Annotated[TrackingConfig, Field(exclude=True)] = TrackingConfig()
    """Where `forecast train` also records a finished run; no forecast depends on it."""

    @property
    def networks(self) -> tuple[ModelConfig, ...]:
        """The single model or all members."""
        return self.members if self.model is None else (self.model,)

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each network in the mean."""
        return tuple(network.weight for network in self.networks)

    @property
    def name(self) -> str:
        """Display name of the forecaster: `gru`, or `gru+lstm` for an ensemble."""
        return "+".join(network.name for network in self.networks)

    @model_validator(mode="after")
    def _one_or_several(self) -> Config:
        if (self.model is None) == (not self.members):
            raise ValueError("either `model:` or `members:`")
        return self

    @field_validator("covariates")
    @classmethod
    def _each_once(cls, covariates: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(covariates)) < len(covariates):
            raise ValueError("expected each ticker once")
        return covariates

    @model_serializer(mode="wrap")
    def _without_absent_covariates(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """A run without covariates has the model file, fingerprint and look that it had before there were any."""
        values = handler(self)
        if not self.covariates:
            values.pop("covariates", None)
        return values

    @field_validator("features")
    @classmethod
    def _some_features(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if not features or len(set(features)) < len(features):
            raise ValueError("expected at least one feature group, each once")
        return features
