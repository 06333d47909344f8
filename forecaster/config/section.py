"""Base classes for config sections: strict, frozen, with field docstrings in the JSON Schema."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler


class Explained(BaseModel):
    """A model whose JSON Schema includes the docstring below each field as its description.

    pydantic's `use_attribute_docstrings` would parse the source at every import, which takes a tenth of a forecast's
    time budget; this reads it only when the schema is generated.
    """

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        for name, text in _texts(cls).items():
            if name in schema.get("properties", {}):
                schema["properties"][name]["description"] = text
        return schema


class Section(Explained):
    """Rejects unknown keys and values of the wrong type."""

    model_config = ConfigDict(extra="forbid")


def tuples(value: Any) -> Any:
    """Lists as tuples, recursively: frozen sections hold tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(tuples, value))
    return {key: tuples(item) for key, item in value.items()} if isinstance(value, dict) else value


def _texts(section: type[BaseModel]) -> dict[str, str]:
    """Field name → the docstring below it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = inspect.cleandoc(ast.literal_eval(below.value))
    return found
