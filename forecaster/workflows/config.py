"""Writes and checks configs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from forecaster.config.load import find_config, to_yaml
from forecaster.config.schema import Config
from forecaster.errors import ConfigError, InputError
from forecaster.files import write_text
from forecaster.runs.config import config_schema, load_config


def check_config(config: str) -> list[str]:
    """Lists every problem of a config, a line each; empty if it is valid.

    Raises:
        UnknownNameError: no such file or shipped config.
    """
    find_config(config)
    try:
        load_config(config)
    except ConfigError as error:
        return list(error.problems)
    return []


def init_config(target: Path, like: str = "gru", force: bool = False) -> Path:
    """Writes a config with every key, its default and its meaning, ready to be edited.

    Args:
        like: a config to start from.

    Raises:
        InputError: the file exists and `force` is not given.
    """
    if target.exists() and not force:
        raise InputError(f"{target} exists: choose another name, or overwrite it with --force.")
    config = load_config(like)
    written = yaml.safe_load(to_yaml(config)) | {"covariates": list(config.covariates)}
    written["tracking"] = config.tracking.model_dump(exclude_none=True)
    values = {key: written[key] for key in Config.model_fields if key in written}
    schema = config_schema()
    lines = [f"# Train with: forecast train {target}", *_section(values, schema, schema, "")]
    write_text(target, "\n".join(lines) + "\n", named=True)
    return target


def _section(values: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in values.items():
        inner = _resolved(schema.get("properties", {}).get(key, {}), root, value)
        if text := inner.get("description"):
            comment = f"{indent}# {text[0].upper()}{text[1:]}"
            lines += [comment] if indent else ["", comment]
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_section(value, inner, root, f"{indent}  ")]
        elif value and isinstance(value, list) and isinstance(value[0], dict):
            lines += [f"{indent}{key}:", *_items(value, inner, root, f"{indent}  ")]
        else:
            flow = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
            lines.append(f"{indent}{key}: {flow}")
    if indent:  # keys that are not set are listed in comments
        unset = {key: one for key, one in schema.get("properties", {}).items() if key not in values}
        lines += [f"{indent}# {key}: {one['description']}" for key, one in unset.items() if "description" in one]
    return lines


def _items(values: list[dict[str, Any]], schema: dict[str, Any], root: dict[str, Any], indent: str) -> Iterator[str]:
    """A list of sections, the first key of each behind a dash; one network's meanings are not repeated for the next."""
    explained: set[str] = set()
    for value in values:
        yield f"{indent}- name: {value['name']}"
        rest = {key: one for key, one in value.items() if key != "name"}
        inner = _resolved(schema.get("items", {}), root, value)
        known = {key: one for key, one in inner.get("properties", {}).items() if key != "name"}
        texts = {key: {**one, "description": ""} if key in explained else one for key, one in known.items()}
        yield from _section(rest, {"properties": texts}, root, f"{indent}  ")
        explained |= known.keys()


def _resolved(schema: dict[str, Any], root: dict[str, Any], value: Any) -> dict[str, Any]:
    """Resolves a `$ref`, keeping the keys beside it; of several models, picks the one named in `value`."""
    optional = [one for one in schema.get("anyOf", []) if "$ref" in one]  # the other is null
    reference = schema.get("$ref") or (optional[0]["$ref"] if optional else None)
    if reference is None:
        return schema
    target: dict[str, Any] = root["$defs"][reference.rpartition("/")[2]]
    named = [one for one in target.get("oneOf", []) if one["properties"]["name"]["const"] == value["name"]]
    beside = {key: one for key, one in schema.items() if key not in ("$ref", "anyOf")}
    return {**target, **(named[0] if named else {}), **beside}
