"""Lists the networks and baselines that a config's `model:` section can name."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Ingredient:
    """A network or baseline that a config's `model:` section can name.

    Args:
        kind: `network` or `baseline`.
        parameters: JSON Schema of each parameter, with its default and meaning.
    """

    name: str
    kind: str
    text: str
    parameters: dict[str, dict[str, Any]]


def models() -> list[Ingredient]:
    """All networks and baselines, with their parameters."""
    from forecaster.baselines import BASELINES
    from forecaster.models import MODELS
    from forecaster.models.build import parameters

    kinds = ((MODELS, "network"), (BASELINES, "baseline"))
    return [
        Ingredient(
            name,
            kind,
            registry.sentence(name) or _sentence(registry[name]),
            parameters(name).model_json_schema().get("properties", {}),
        )
        for registry, kind in kinds
        for name in registry.names()
    ]


def _sentence(member: Any) -> str:
    """The first sentence of the docstring of a class, a function, or an object's class."""
    fixed: dict[str, Any] = {}
    if isinstance(member, partial):
        member, fixed = member.func, member.keywords
    text = inspect.getdoc(member if inspect.isclass(member) or inspect.isfunction(member) else type(member)) or ""
    cells = [value.__name__ for value in fixed.values() if isinstance(value, type)]
    first = " ".join(text.partition("\n\n")[0].split()).removesuffix(".")
    return f"{first}{f' ({cells[0]})' if cells else ''}." if first else ""
