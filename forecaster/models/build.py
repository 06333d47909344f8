"""The YAML's `model:` section → a network; the constructor's signature is the schema."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, get_type_hints

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, create_model

from forecaster.baselines import BASELINES
from forecaster.config.document import Document
from forecaster.config.load import validate_section
from forecaster.config.schema import ModelConfig, TaskConfig
from forecaster.errors import ConfigError, UnknownNameError
from forecaster.models import MODELS, Body
from forecaster.models.network import Network

MOST_WEIGHTS = 500_000_000
"""Weights of one network: 2 GB, and four times that in training."""

MOST_TOGETHER = 4 * MOST_WEIGHTS
"""Weights of all networks of a run: its model file is read as a whole, see `tensorfile`."""


def model_names() -> tuple[str, ...]:
    """Names allowed in a `model:` section: networks and baselines."""
    return tuple(sorted((*MODELS.names(), *BASELINES.names())))


def parameters(name: str) -> type[BaseModel]:
    """The parameters that a model's constructor takes by keyword, as a strict pydantic model; a baseline has none.

    Raises:
        UnknownNameError: no such model.
    """
    if name in MODELS or name in MODELS.faults:  # of a plugin that failed to import, this raises why
        return _parameters(name, MODELS[name])
    if name not in BASELINES:
        raise UnknownNameError(MODELS.kind, name, model_names())
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=True))


@cache
def _parameters(name: str, factory: Any) -> type[BaseModel]:
    fixed: dict[str, Any] = {}
    # `rnn`, `gru` and `lstm` are one class: what `partial` has fixed is no parameter of the YAML.
    if isinstance(factory, partial):
        factory, fixed = factory.func, factory.keywords
    is_class = isinstance(factory, type)
    hints = get_type_hints(factory.__init__ if is_class else factory, include_extras=True)
    texts = _argument_texts(inspect.getdoc(factory) or "")
    fields: dict[str, Any] = {
        key: (hints.get(key, Any), Field(argument.default, description=texts.get(key)))
        for key, argument in inspect.signature(factory).parameters.items()
        if argument.kind is inspect.Parameter.KEYWORD_ONLY and key not in fixed
    }
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False), **fields)


def resolved_model(
    model: ModelConfig, task: TaskConfig, document: Document, path: tuple[str | int, ...] = ("model",)
) -> ModelConfig:
    """A model section with all parameters of its constructor filled in, validated against it and against the task.

    Args:
        path: of the section in the document.

    Raises:
        ConfigError: with file, line, key, value, expectation and the nearest right name.
    """
    try:
        schema = parameters(model.name)
    except UnknownNameError as error:
        raise ConfigError(f"{document.place((*path, 'name'))}: {error}") from error
    values = validate_section(schema, model.parameters, document, path).model_dump()
    if model.name in BASELINES:
        return model
    key = ".".join(map(str, path))
    try:
        # Made for its checks alone: the constructor sees what a schema cannot, and only the body knows its reach.
        body = _without_memory(model)
    except ValueError as error:
        raise ConfigError(f"{document.place(path)}: {key}.{error}.") from error
    lacking = [name for name in ("output_size", "causal", "skip") if not hasattr(body, name)]
    if lacking:
        promise = "every network has them (see forecaster.models.Body)"
        raise ConfigError(f"{document.place(path)}: model {model.name!r} has no {', '.join(lacking)}: {promise}.")
    if (weights := _count(body)) > MOST_WEIGHTS:
        raise ConfigError(
            f"{document.place(path)}: {key} has {weights:,} weights, expected at most {MOST_WEIGHTS:,}: "
            "make it smaller, such as with a lower hidden_size."
        )
    reach, limit = getattr(body, "reach", 0), task.read
    if reach > limit:
        raise ConfigError(
            f"{document.place(path)}: {key} looks back {reach} candles, but a forecast reads {limit}: "
            f"make the network's reach smaller or task.context at least {reach}."
        )
    if task.decoder == "recursive" and not body.causal:
        raise ConfigError(
            f"{document.place((*path, 'bidirectional'))}: {key}.bidirectional is true with task.decoder recursive: "
            "a network that also reads backwards cannot continue with a forecast candle; set decoder to direct or "
            "bidirectional to false."
        )
    if task.supervision == "dense" and not body.causal:
        raise ConfigError(
            f"{document.place((*path, 'bidirectional'))}: {key}.bidirectional is true with task.supervision dense: "
            "each forecast would see the days it is to predict; set supervision to window or bidirectional to false."
        )
    return ModelConfig(name=model.name, weight=model.weight, **values)


def total_problems(models: Sequence[ModelConfig], document: Document) -> Iterator[str]:
    """Yields a problem if the resolved networks have too many weights together for one model file."""
    weights = sum(_count(_without_memory(model)) for model in models if model.name not in BASELINES)
    if weights > MOST_TOGETHER:
        yield (
            f"{document.place(('members',))}: members has {weights:,} weights together, expected at most "
            f"{MOST_TOGETHER:,}: make them smaller or fewer."
        )


def _count(body: Body) -> int:
    return sum(map(torch.numel, getattr(body, "parameters", list)()))


def _without_memory(model: ModelConfig) -> Body:
    """A body whose weights take no memory, whatever size the YAML asks for; a plugin's may not be made that way."""
    try:
        with torch.device("meta"):
            return make_body(model, input_size=1)
    except (NotImplementedError, RuntimeError):
        return make_body(model, input_size=1)


def check_shapes(model: ModelConfig, input_size: int, weights: Mapping[str, np.ndarray]) -> None:
    """Check that a body has these weights, before a file's word is taken for its size.

    Raises:
        ValueError: names or shapes differ.
    """
    with torch.device("meta"):
        body = make_body(model, input_size)
    named = dict(getattr(body, "named_parameters", dict)())
    for name, weight in named.items():
        if name not in weights or tuple(weight.shape) != weights[name].shape:
            raise ValueError(f"the weight {name} is missing or has another shape")


def make_body(config: ModelConfig, input_size: int) -> Body:
    """A registered network with the parameters from the YAML."""
    return MODELS[config.name](input_size, **config.parameters)


def make_network(
    model: ModelConfig, head: str, input_size: int, base: Any, decoder: str = "direct", teacher_forcing: float = 0.0
) -> Network:
    """A run's network, starting from the base quantiles [horizon, variable, quantile], on the CPU."""
    quantiles = torch.as_tensor(base, dtype=torch.float32)
    # `pooled` keeps all steps, because the rollout takes the shape of the later ones from it.
    trained = quantiles[:1] if decoder == "recursive" else quantiles
    return Network(
        make_body(model, input_size),
        input_size=input_size,
        head=head,
        base=trained,
        decoder_steps=len(trained) if decoder == "seq2seq" else 1,
        teacher_forcing=teacher_forcing,
        pooled=quantiles.numpy(),
    )


def load_weights(network: Network, weights: Mapping[str, np.ndarray]) -> Network:
    """Load weights into the network and return it.

    Raises:
        RuntimeError: names or shapes of the weights do not match.
    """
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return network


def _argument_texts(docstring: str) -> dict[str, str]:
    """The Args section of a docstring, by argument: the single source of the texts in schema and docs."""
    section = docstring.partition("Args:")[2].partition("\n\n")[0]
    return {name: " ".join(text.split()) for name, text in re.findall(r"\s{4}(\w+): ((?:.+)(?:\n\s{6,}.+)*)", section)}
