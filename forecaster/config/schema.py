"""The sections of a run's YAML. Each field's text feeds the JSON Schema, the editor and the docs."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from forecaster.config.section import Explained, Section

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
VARIABLES = ("open", "high", "low", "close")

WARM_UP = 250
"""Candles that a densely supervised network reads before the first origin of a stretch."""

SPAN = r"^[1-9][0-9]*[ym]$"


def _span(text: str) -> str:
    if not re.match(SPAN, text):
        raise ValueError("expected a span such as 2y or 18m")
    return text


Span = Annotated[str, AfterValidator(_span), Field(json_schema_extra={"pattern": SPAN})]
Steps = Annotated[int, Field(ge=1, le=250)]


class SplitConfig(Section):
    """Where training ends and the test begins: by spans counted back from the panel's last date, or by three dates."""

    validation: Span | None = None
    """Length of the validation period before the test, such as `2y` or `18m`."""
    test: Span | None = None
    """Length of the test period that ends with the panel's last date, such as `2y`."""
    train_end: dt.date | None = None
    """Last date of training (instead of spans)."""
    validation_end: dt.date | None = None
    """Last date of validation."""
    test_end: dt.date | None = None
    """Last date of the test."""

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
    """Which candles the run sees."""

    tickers: Literal["all"] | tuple[str, ...] = "all"
    """`all` that the store holds, or a list of symbols."""
    exclude: tuple[str, ...] = ()
    """Symbols to leave out of `all`."""
    start: dt.date | None = None
    """First date to use; the history's own start if absent."""
    end: dt.date | None = None
    """Last date to use; the history's own end if absent."""
    split: SplitConfig = SplitConfig(validation="2y", test="2y")
    """Training, validation and test by date."""

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
    """What is asked of the network."""

    horizon: Steps | tuple[Steps, ...] = 5
    """Sessions ahead: a number M for steps 1 to M, or a list of steps in ascending order. 1 is N-to-1."""
    context: Annotated[int, Field(ge=1, le=2000)] = 40
    """Candles read before a forecast: exactly so many for `window`, at least so many for `dense`."""
    supervision: Literal["dense", "window"] = "dense"
    """`dense`: a forecast is learnt at each candle (N-to-N); `window`: only at the last one."""
    decoder: Literal["direct", "recursive", "seq2seq"] = "direct"
    """`direct`: all steps at once; `recursive`: one step, fed back as input; `seq2seq`: a decoder goes step by step."""
    teacher_forcing: Annotated[float, Field(ge=0, le=1)] = 0.0
    """`seq2seq` only: share of training in which the decoder is fed the true candle instead of its own."""
    head: Literal["scale", "quantile", "point"] = "scale"
    """`scale`: one log-scale on the training quantiles; `quantile`: free quantiles; `point`: the median alone."""

    @field_validator("horizon")
    @classmethod
    def _ascending(cls, horizon: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(horizon, tuple) and (not horizon or list(horizon) != sorted(set(horizon))):
            raise ValueError("expected a number of sessions or a list of steps in ascending order")
        return horizon

    @property
    def steps(self) -> tuple[int, ...]:
        """The horizon as explicit steps, in sessions."""
        return self.horizon if isinstance(self.horizon, tuple) else tuple(range(1, self.horizon + 1))

    @property
    def learnt(self) -> tuple[int, ...]:
        """The steps that the network learns; a recursive decoder reaches the others by itself."""
        return self.steps[:1] if self.decoder == "recursive" else self.steps

    @property
    def read(self) -> int:
        """Candles that a forecast has read, at least: exactly so many for `window`."""
        return self.context if self.supervision == "window" else max(WARM_UP, self.context)

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantile levels that the head gives."""
        return (0.5,) if self.head == "point" else LEVELS


class TrainingConfig(Section):
    """How the network learns."""

    steps: Annotated[int, Field(ge=1)] = 200
    """Optimiser steps."""
    batch: Annotated[int, Field(ge=1)] = 64
    """Windows or chunks in a step."""
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """Peak learning rate; a cosine takes it to 0."""
    warmup: Annotated[int, Field(ge=0)] = 50
    """Steps in which the learning rate rises linearly from near 0."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3
    """AdamW's decoupled weight decay."""
    clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of the gradient."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the initial weights and of the sampling: the same seed gives the same bytes."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train; `auto` takes a GPU if there is one."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of matrix products, but for RNN and GRU layers on a CPU; `bfloat16` where there are instructions for it."""
    refit: bool = False
    """`false`: keep the best step by validation; `true`: train on training and validation together, all steps."""
    through: Literal["validation", "latest"] = "validation"
    """`latest`: once tested, refit on all candles with the steps that the evaluation fixed, for forecasts to come."""


class CalibrationConfig(Section):
    """Whether quantiles are corrected by the errors of the last days whose outcome is known."""

    rolling: bool = False
    """Centre the coverage on the last `window` sessions, model and baselines alike."""
    steps: tuple[Steps, ...] = (1,)
    """Steps it acts on: the first by a shift of each level, those beyond by the bands' width alone."""
    window: Annotated[int, Field(ge=50)] = 250
    """Sessions whose errors count."""
    every: Annotated[int, Field(ge=1)] = 10
    """Sessions between two corrections."""


class EvaluationConfig(Section):
    """What else the forecast is compared with."""

    baselines: tuple[str, ...] = ("last-close",)
    """More baselines to score; the simple formulas, which each run must beat, always are."""


class ModelConfig(Explained):
    """A registered network; every other key is a parameter of its constructor."""

    model_config = ConfigDict(extra="allow")

    name: str
    """A name from `forecast config schema`, such as `gru`."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Of several members: how much this one counts in the mean."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor's parameters as the YAML gives them."""
        return dict(self.model_extra or {})


class Config(Section):
    """All of one run."""

    data: DataConfig = DataConfig()
    """Which candles the run sees."""
    features: tuple[str, ...] = ("base", "vol")
    """Feature groups, in order."""
    model: ModelConfig | None = None
    """The network."""
    members: tuple[ModelConfig, ...] = ()
    """Several networks instead of one: the forecast is the mean of theirs."""
    task: TaskConfig = TaskConfig()
    """What is asked of the network."""
    training: TrainingConfig = TrainingConfig()
    """How the network learns."""
    calibration: CalibrationConfig = CalibrationConfig()
    """Whether quantiles are corrected by recent errors."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """What the forecast is held against."""

    @property
    def networks(self) -> tuple[ModelConfig, ...]:
        """The networks, one or several."""
        return self.members if self.model is None else (self.model,)

    @property
    def weights(self) -> tuple[float, ...]:
        """How much each network counts in the mean."""
        return tuple(network.weight for network in self.networks)

    @property
    def name(self) -> str:
        """What the run's forecaster is called: `gru`, or `gru+lstm`."""
        return "+".join(network.name for network in self.networks)

    @model_validator(mode="after")
    def _one_or_several(self) -> Config:
        if (self.model is None) == (not self.members):
            raise ValueError("either `model:` or `members:`")
        return self

    @field_validator("features")
    @classmethod
    def _some_features(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if not features or len(set(features)) < len(features):
            raise ValueError("expected at least one feature group, each once")
        return features
