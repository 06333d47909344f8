"""What a section of a run's YAML is: strict, frozen, and explained by the text below each of its fields."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler


class Explained(BaseModel):
    """Its JSON Schema carries the text below each field.

    pydantic's own `use_attribute_docstrings` reads the source anew whenever the class is imported: a tenth of the
    time that a forecast may take.
    """

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        for name, text in _texts(cls).items():
            if name in schema.get("properties", {}):
                schema["properties"][name]["description"] = text
        return schema


class Section(Explained):
    """An unknown key is refused, as is a value of another type."""

    model_config = ConfigDict(extra="forbid")


def _texts(section: type[BaseModel]) -> dict[str, str]:
    """Field → the string below it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = inspect.cleandoc(ast.literal_eval(below.value))
    return found
