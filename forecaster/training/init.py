"""Fine-tuning: the weights of another run that training starts from (`training.init`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.config.schema import Config, ModelConfig
from forecaster.errors import InputError, at_most_five
from forecaster.features.dataset import Base
from forecaster.header import Init
from forecaster.inference.tails import Tails
from forecaster.modelfile import Model
from forecaster.tensorfile import part_of
from forecaster.trial import Trial


@dataclass(frozen=True, eq=False)
class InitialWeights:
    """Weights of a run's members, and what is known of them.

    Args:
        members: of each member its arrays by name. A network trains on from them; a baseline's are kept.
        base: pooled quantiles that the networks' outputs are relative to.
        tails: of the run's quantiles beyond their outer levels; None if it has none.
        about: goes into the header of the new model file.
    """

    members: tuple[Mapping[str, np.ndarray], ...]
    base: Base
    tails: Tails | None
    about: Init


def initial_weights(run: str, model: Model, trial: Trial, known: np.datetime64) -> InitialWeights:
    """The weights that a run starts with: those refitted on all candles if these end by a date, else the tested ones.

    Args:
        run: value of `training.init`.
        known: last date that the new weights may know of without being in-sample later.

    Raises:
        InputError: features, steps, head or members differ.
    """
    check_init(run, model, trial.config)
    if model.header.features != trial.dataset.features.names:
        raise InputError(f"training.init is {run}, but its features had other columns: train it again.")
    header = model.header
    # Refitted weights have seen later candles: they are used only if even these precede the new test.
    refit = header.refit if header.refit and header.refit.fitted_to <= known else None
    place = "production/" if refit else ""
    return InitialWeights(
        tuple(part_of(model.tensors, f"{place}{number}/") for number in range(len(model.config.networks))),
        (refit or header).base,
        model.tails,
        Init(run, hashlib.sha256(model.path.read_bytes()).hexdigest(), (refit or header).fitted_to),
    )


def check_init(run: str, model: Model, config: Config) -> None:
    """Checks that a config can start from a run's weights, before any candle is read.

    Raises:
        InputError: features, steps, head or members differ.
    """
    if problem := next(_differences(model.config, config), None):
        raise InputError(f"training.init is {run}, but {problem}.")


def _differences(theirs: Config, own: Config) -> Iterator[str]:
    """What keeps weights from being used, one clause each."""
    if theirs.features != own.features:
        yield f"it reads the features {_listed(theirs.features)}, this config {_listed(own.features)}: use the same"
    if theirs.covariates != own.covariates:
        yield f"its covariates are {_listed(theirs.covariates)}, this config's {_listed(own.covariates)}: use the same"
    if theirs.task.steps != own.task.steps:
        yield f"its task.horizon is {_horizon(theirs)}, this config's {_horizon(own)}: use the same"
    for key in ("head", "decoder"):
        if getattr(theirs.task, key) != getattr(own.task, key):
            yield f"its task.{key} is {getattr(theirs.task, key)}, this config's {getattr(own.task, key)}: use the same"
    if [_shape(one) for one in theirs.networks] != [_shape(one) for one in own.networks]:
        yield f"it has {_members(theirs.networks)}, this config {_members(own.networks)}: use the same, in this order"


def _shape(model: ModelConfig) -> tuple[str, dict[str, object]]:
    return model.name, model.parameters


def _members(networks: Sequence[ModelConfig]) -> str:
    return " and ".join(
        f"{one.name} ({', '.join(f'{key}: {value}' for key, value in one.parameters.items())})"
        if one.parameters
        else one.name
        for one in networks
    )


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"


def _horizon(config: Config) -> str:
    return at_most_five(config.task.steps)
