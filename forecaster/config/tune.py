"""The section `tune` of a run's YAML: what `forecast tune` searches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from forecaster.config.section import Section, tuples

Bound = Annotated[int | float, Field(ge=-1e15, le=1e15)]


class RangeConfig(Section):
    """A range that `forecast tune` draws a number from."""

    low: Bound
    """Lowest value."""
    high: Bound
    """Highest value."""
    log: bool = False
    """Draw evenly on a logarithmic scale, as for learning rates."""

    @model_validator(mode="after")
    def _in_order(self) -> RangeConfig:
        if self.low >= self.high:
            raise ValueError(f"low below high, but {self.low} is not below {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a low above 0 for a logarithmic range, not {self.low}")
        return self


class TuneConfig(Section):
    """What `forecast tune` searches; every other command ignores it."""

    space: dict[str, tuple[Any, ...] | RangeConfig]
    """Keys of this config, such as `training.learning_rate`: a list of choices, or a range `{low, high, log}`."""
    trials: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    """Configs to try; those pruned early count."""
    timeout: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Seconds after which no further trial begins."""
    pruner: Literal["median", "hyperband", "none"] = "median"
    """`median`: stop a trial that is worse than the median at the same step; `hyperband`: as Li et al.; `none`."""
    found: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Trials that this config is the best of: written by `forecast tune`, never by hand."""

    @field_validator("space")
    @classmethod
    def _some_keys(cls, space: dict[str, Any]) -> dict[str, Any]:
        if not space:
            raise ValueError("at least one key to search, such as training.learning_rate: [1e-3, 3e-3]")
        return {key: tuples(choices) for key, choices in space.items()}
