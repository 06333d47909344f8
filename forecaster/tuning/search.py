"""Files that let several processes share a search: the config, and the candles and features up to validation's end.

Candles of the test are not among them: nothing in a trial can see the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from forecaster.config.document import Document, dump, inline_yaml, override, setting_texts
from forecaster.config.load import read_document
from forecaster.config.schema import Config
from forecaster.config.tune import RangeConfig, TuneConfig
from forecaster.data.panel import Panel
from forecaster.data.splits import Period, Split
from forecaster.events import Say
from forecaster.features.dataset import Rows
from forecaster.files import write_text
from forecaster.runs.config import check_document
from forecaster.runs.space import Choices, current, ends
from forecaster.trial import Trial
from forecaster.tuning.losses import reference_loss
from forecaster.walkforward.walk import Walk, load_walk, save_walk

CONFIG = "config.yaml"
Values = Mapping[str, Any]
"""A value for each key of the space."""


@dataclass(frozen=True, eq=False)
class SharedOrigins(Trial):
    """A trial that is validated on the origins that every trial of the search has.

    Args:
        history: candles that the longest `task.context` of the search needs before an origin.
    """

    history: int = 1

    def origins(self, period: Period) -> Rows:
        """As `Trial.origins`, for the longest context of the search."""
        return self.dataset.require_origins(period, max(self.history, self.config.task.context))


@dataclass(frozen=True, eq=False)
class Search:
    """A config and what is searched for it.

    Args:
        document: the config as the user gave it, settings included.
        config: the same, checked.
    """

    folder: Path
    document: Document
    config: Config

    @property
    def tune(self) -> TuneConfig:
        """The section that names the space."""
        assert self.config.tune is not None, "checked when the search began"
        return self.config.tune

    @cached_property
    def bases(self) -> dict[tuple[str, ...], Trial]:
        """Candles and features that `save_candles` wrote, for each choice of feature groups."""
        places = map(self.candles, range(len(self.features)))
        walks = [load_walk(place, "candles of the search") for place in places]
        return dict(zip(self.features, (walk.whole for walk in walks), strict=True))

    @cached_property
    def features(self) -> tuple[tuple[str, ...], ...]:
        """The feature groups that trials read, a tuple for each choice."""
        return tuple(dict.fromkeys(map(tuple, self._ends("features"))))

    @cached_property
    def history(self) -> int:
        """The longest context."""
        return max(self._ends("task.context"))

    @cached_property
    def steps(self) -> int:
        """The most optimiser steps of a trial."""
        return len(self.config.networks) * int(max(self._ends("training.steps")))

    @cached_property
    def reference(self) -> float:
        """Validation loss of the reference baseline; no value of the space changes it."""
        base = next(iter(self.bases.values()))  # the config's own features need not be among the choices
        return reference_loss(SharedOrigins(self.config_of({}), base.dataset, base.split, self.history))

    def candles(self, place: int) -> Path:
        """The folder of candles with the features of the choice at a place."""
        return self.folder / f"candles-{place}"

    def losses(self, number: int) -> Path:
        """The file of a finished trial's validation losses by date."""
        return self.folder / f"losses-{number}.npy"

    def place(self, number: int) -> Path:
        """The folder of a running trial's checkpoints."""
        return self.folder / f"trial-{number}"

    def config_of(self, values: Values) -> Config:
        """The config with values of the space, as a trial learns it: early stopping, and never a refit.

        Raises:
            ConfigError: the values do not go together.
        """
        checked = check_document(override(self.document, setting_texts(values)))
        training = checked.training.model_copy(update={"refit": False, "through": "validation"})
        return checked.model_copy(update={"training": training, "tune": None})

    def trial(self, values: Values) -> SharedOrigins:
        """What a trial with these values learns from.

        Raises:
            ConfigError: as `config_of`.
        """
        config = self.config_of(values)
        base = self.bases[config.features]
        return SharedOrigins(config, base.dataset, base.split, self.history)

    def own(self) -> dict[str, Any] | None:
        """The values that the config itself has; None if one of them is not in the space."""
        found = {key: self._own(key, choices) for key, choices in self.tune.space.items()}
        return {key: value[0] for key, value in found.items()} if all(found.values()) else None

    def _own(self, key: str, choices: Choices) -> Sequence[Any]:
        """The config's own value of a key; empty if it is not in the space."""
        value = current(self.config, key)
        if isinstance(choices, RangeConfig):
            return [value] if isinstance(value, int | float) and choices.low <= value <= choices.high else []
        written = [inline_yaml(one) for one in (value, _written(self.document.values, key))]
        return [choice for choice in choices if inline_yaml(choice) in written]

    def _ends(self, key: str) -> Sequence[Any]:
        now = current(self.config, key)
        return ends(self.tune.space[key], now) if key in self.tune.space else (now,)


def _written(values: Any, key: str) -> Any:
    """What the user wrote at a dotted key; None if nothing."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def save_config(search: Search) -> None:
    """Writes the config as `load_search` reads it."""
    calibration = search.config.calibration.model_dump()  # a horizon from the command line may have shortened it
    values = search.document.values | {"calibration": calibration | {"steps": list(calibration["steps"])}}
    write_text(search.folder / CONFIG, dump(values))


def save_candles(search: Search, panel: Panel, split: Split, say: Say) -> None:
    """Computes each choice of features once, and writes them with the candles, to be memory-mapped by all processes.

    Raises:
        OutsideError: the folder cannot be written.
    """
    for place, features in enumerate(search.features):
        say(f"computing features of {len(panel.sessions):,} candles of {len(panel)} tickers: {', '.join(features)}")
        config = search.config_of({}).model_copy(update={"features": features})
        save_walk(Walk(search.candles(place), Trial.of(config, panel, split), ()))


def load_search(folder: Path) -> Search:
    """Reads what `save_config` wrote."""
    document = read_document(str(folder / CONFIG))
    checked = check_document(document)
    return Search(folder, document, checked)
