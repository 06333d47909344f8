"""Reads and validates a config: a YAML file, or the name of a shipped one; errors name the file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from forecaster.config.about import shipped_configs
from forecaster.config.document import Document, dump, override, parse, parse_setting
from forecaster.config.schema import Config
from forecaster.config.section import tuples
from forecaster.errors import ConfigError, InputError, UnknownNameError, at_most_five, did_you_mean
from forecaster.files import is_file, is_folder, read_text
from forecaster.printable import MOST, printable, quoted

_YAML = (".yaml", ".yml")
_LARGEST = 1 << 18
"""Bytes of a config: it is parsed at a quarter of a megabyte a second."""


def find_config(name: str) -> Path:
    """Resolve `name`, a path or the name of a shipped config, to a file.

    Raises:
        UnknownNameError: it is neither.
        InputError: the path does not exist or is a folder.
    """
    path = Path(name)
    if is_file(path):
        return path
    known = shipped_configs()
    shipped_name = name if name in known else path.stem if path.parent.name == "configs" else ""
    if shipped_name in known:
        return known[shipped_name]
    if is_folder(path):
        raise InputError(f"config {path.absolute()} is a folder: name a YAML file in it.")
    if path.suffix in _YAML or path.name != name:
        others = [other.name for other in path.parent.glob("*") if other.suffix in _YAML]
        near = did_you_mean(path.name, others) if others else ""
        remedy = near or f"Check the name, or use a shipped config ({at_most_five(known)})."
        raise InputError(f"config {path.absolute()} does not exist. {remedy}".rstrip())
    raise UnknownNameError("config", name, known, "A path to a YAML file also works.")


def read_document(name: str, settings: Sequence[str] = ()) -> Document:
    """Read a config file and apply `--set` overrides.

    Raises:
        ConfigError: the text or an override is invalid.
    """
    path = find_config(name)
    try:
        text = read_text(path, _LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"config {path} cannot be read as UTF-8 text: {error}.") from error
    document = parse(text, str(path))
    _refuse_model_beside_members(document, settings)
    return override(document, settings)


def _refuse_model_beside_members(document: Document, settings: Sequence[str]) -> None:
    """Reject an override of `model` if the config has `members`, and vice versa; the message gives the right key.

    Raises:
        ConfigError: an override of one of them, while the file has the other and no override removes that.
    """
    written = [(setting, parse_setting(setting)[0]) for setting in settings]
    present, other = ("members", "model") if document.values.get("members") else ("model", "members")
    if not document.values.get(present) or (present,) in [keys for _, keys in written]:
        return
    for setting, keys in written:
        if keys[0] != other:
            continue
        rest = ".".join(keys[1:] if present == "members" else keys[2:])
        what = f"--set {setting}: {document.name} has {'members' if present == 'members' else 'one model'}"
        if not rest:
            removal = "members=[]" if present == "members" else "model=null"
            raise ConfigError(f"{what}, but a run takes either `model:` or `members:`: add --set {removal}.")
        if present == "model":
            raise ConfigError(f"{what} and no members: write --set model.{rest}={setting.partition('=')[2]}.")
        names = at_most_five(f"{place} {_name(member)}" for place, member in enumerate(document.values["members"]))
        raise ConfigError(f"{what} ({names}): write --set members.0.{rest}={setting.partition('=')[2]} for the first.")


def _name(member: Any) -> str:
    return str(member.get("name", "")) if isinstance(member, dict) else str(member)


def validate(document: Document) -> Config:
    """Validate a document against the schema.

    Raises:
        ConfigError: lists each problem with file, line, key, value, what was expected and the closest valid key.
    """
    config: Config = validate_section(Config, document.values, document)
    return config


def validate_section(
    model: type[BaseModel], values: dict[str, Any], document: Document, prefix: tuple[str | int, ...] = ()
) -> Any:
    """Validate `values`, found at key path `prefix` of the document, against a pydantic model.

    Raises:
        ConfigError: as `validate`.
    """
    try:
        return model.model_validate(tuples(values))
    except ValidationError as error:
        raise ConfigError(_error_lines(error, model, values, document, prefix)) from error


def to_yaml(config: Config) -> str:
    """The resolved config as YAML that loads back to an equal config."""
    values = config.model_dump(exclude_none=True, exclude=None if config.members else {"members"})
    if tracking := config.tracking.model_dump(exclude_defaults=True):
        values["tracking"] = tracking
    return dump(_lists(values))


def _lists(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value


def _error_lines(
    error: ValidationError, model: type[BaseModel], values: Any, document: Document, prefix: tuple[str | int, ...]
) -> list[str]:
    """One line per key; union branches become alternatives joined by "or".

    If an error lies deeper inside one branch, that branch was meant and the others are not reported.
    """
    found = [((*prefix, *_keys(item, values)), item) for item in error.errors()]
    lines: dict[str, list[str]] = {}
    for location, item in found:
        if any(other[: len(location)] == location != other for other, _ in found):
            continue
        key = ".".join(_clipped(part) for part in location)
        head, expectation = _finding(item, key, model)
        expectation += _example(item, key)
        lines.setdefault(f"{document.place(location)}: {head}", []).append(expectation)
    return [
        f"{head}{' or '.join(dict.fromkeys(expected)).rstrip('.')}{'' if expected[0].endswith('?') else '.'}"
        for head, expected in lines.items()
    ]


def _finding(item: Any, key: str, model: type[BaseModel]) -> tuple[str, str]:
    if item["type"] == "extra_forbidden":
        known, name = _fields(model, item["loc"][:-1]), str(item["loc"][-1])
        remedy = _split(name, item["input"]) or did_you_mean(name, known).strip()
        return f"unknown key {quoted(key)}. ", remedy or "This section has no keys."
    if item["type"] == "missing":
        name = str(item["loc"][-1])
        similar = [split for other in item["input"] if other.startswith(name) and (split := _split(other, None))]
        return f"{quoted(key)} is missing: ", similar[0].replace("Write", "write") if similar else "add it."
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ").removeprefix("expected ")
    message = re.sub(r"a valid dictionary.*", "a section of keys", message).replace("a valid tuple", "a list")
    return f"{key or 'the config'} is {_shown(item['input'])}: expected ", message.replace("a valid ", "a ").replace(
        "a int", "an int"
    )


def _split(key: str, value: Any) -> str:
    """A hint for a missing colon or space: YAML parses `name gru` and `model:{name` as one key."""
    bare, gap, rest = re.match(r"(\w*)(:? *)(.*)", key, re.DOTALL).groups()  # type: ignore[union-attr]
    if rest[:1] in ("{", "["):
        return f"Write `{bare}: {rest[0]}` with a colon and a space."
    return f"Write `{bare}: {rest}` with a colon and a space." if gap and rest and value is None else ""


def _example(item: Any, key: str) -> str:
    """Correct syntax, as a hint, where a plain word was given instead of a section or list."""
    text = item["input"]
    if not isinstance(text, str) or not text:
        return ""
    if key == "model" or re.fullmatch(r"members\.\d+", key):
        return f": write {{name: {text}}}"
    if item["type"] != "tuple_type":
        return ""
    words = ", ".join(f"{{name: {word}}}" if key == "members" else word for word in re.split(r"[,;\s]+", text) if word)
    return f": write [{words}]"


def _keys(item: Any, values: Any) -> list[str | int]:
    """pydantic's error location without the union branch names, which are not keys of the file."""
    keys: list[str | int] = []
    for part in item["loc"]:
        holder = dict(enumerate(values)) if isinstance(values, list | tuple) else values
        is_key = isinstance(holder, dict) and part in holder
        if is_key:
            values = values[part]
        if is_key or (item["type"] == "missing" and part == item["loc"][-1]):
            keys.append(part)
    return keys


def _fields(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    current: Any = model
    for part in loc:
        if current is not None and str(part) in current.model_fields:
            current = _section(current.model_fields[str(part)].annotation)
    return [] if current is None else list(current.model_fields)


def _section(annotation: Any) -> Any:
    """The section that a field holds, also where it may be absent or is one of many; None if it holds a value."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)


def _clipped(key: Any) -> str:
    return str(key)[:MOST]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"a section with {printable(at_most_five(map(_clipped, value)))}" if value else "an empty section"
    return quoted(_lists(value) if isinstance(value, tuple) else value, 60)
