"""YAML text → plain values, with the source line of each key for error messages."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from forecaster.config.syntax import explain
from forecaster.errors import ConfigError
from forecaster.printable import MOST, printable, quoted

Path = tuple[str | int, ...]
Settings = str | Sequence[str] | Mapping[str, Any]
"""Config overrides: one or several `a.b=c`, or a dict, which may be nested."""


@dataclass(frozen=True)
class Document:
    """A mapping of settings and, for each key path, where it was set (`gru.yaml:12` or `--set a.b=c`)."""

    name: str
    values: dict[str, Any]
    places: dict[Path, str] = field(default_factory=dict)

    def place(self, path: Sequence[str | int]) -> str:
        """Where the key was set: a `--set` at, below or above it, else its line or that of the nearest section."""
        key = tuple(path)
        for written, place in self.places.items():
            if place.startswith("--set") and (written[: len(key)] == key or key[: len(written)] == written):
                return place
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, self.name)


_DEEPEST = 32
_LONGEST_NUMBER = 100
"""Characters of a whole number: Python refuses to read thousands."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: `ON` and `NO` stay text (tickers), `0700` is not octal, `1e-3` is a float."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            problem = f"the alias *{event.anchor} is not supported: write out the value"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > _DEEPEST:
            problem = f"nested more than {_DEEPEST} levels deep: expected sections of plain settings"
            raise yaml.composer.ComposerError(None, None, problem, self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            if node.tag == "tag:yaml.org,2002:int" and len(str(node.value)) > _LONGEST_NUMBER:
                raise ValueError
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            problem = f"{quoted(node.value)} is not a valid {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                problem = f"the key {_key_text(key)} is not plain text"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if key.value in seen:
                problem = f"the key {quoted(key.value)} is duplicated"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_date(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError as error:
            problem = f"{node.value} is not a valid date: {error}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag.rpartition(":")[2] not in ("bool", "float", "int")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false|True|False)$"), list("tfTF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|nan)$"),
    list("-+0123456789."),
)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_date)


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or our loader would parse as another type."""


_Dumper.yaml_implicit_resolvers = {
    first: yaml.SafeDumper.yaml_implicit_resolvers.get(first, []) + _Loader.yaml_implicit_resolvers.get(first, [])
    for first in yaml.SafeDumper.yaml_implicit_resolvers | _Loader.yaml_implicit_resolvers
}


class _CompactDumper(_Dumper):
    """Writes a list on one line, unless it holds sections."""


def _compact_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    inline = not any(isinstance(item, dict) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=inline)


_CompactDumper.add_representer(list, _compact_list)


def dump(values: dict[str, Any], compact: bool = False) -> str:
    """Plain values as YAML text that `parse` reads back unchanged.

    Args:
        compact: lists on one line each.
    """
    dumper, width = (_CompactDumper, 1 << 20) if compact else (_Dumper, None)
    text: str = yaml.dump(values, Dumper=dumper, sort_keys=False, width=width)
    return text


def parse(text: str, name: str) -> Document:
    """Parse YAML text whose top level is a mapping.

    Raises:
        ConfigError: the text is not YAML, or its top level is a list or a single value.
    """
    try:
        node, values = _load(text)
    except yaml.YAMLError as error:
        line, problem = explain(error, text)
        place = name if line is None else f"{name}:{line}"
        raise ConfigError(f"{place}: this is not valid YAML: {problem}.") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: nested too deeply, expected sections of plain settings.") from error
    if not isinstance(values, dict):
        value = f"only the value {quoted(values)}"
        kind = "empty" if values is None else "a list" if isinstance(values, list) else value
        raise ConfigError(f"{name}:1: the file is {kind}, expected sections such as `data:` and `model:`.")
    places: dict[Path, str] = {}
    _record_lines(node, (), name, places)
    return Document(name, values, places)


def setting_texts(settings: Settings) -> list[str]:
    """Overrides as a list of `a.b=c`; a dict may be flat or nested: `{"a.b": c}` or `{"a": {"b": c}}`.

    A dict for a section changes only the keys it contains; a dict with a `name`, such as a model, replaces the section.
    """
    if isinstance(settings, str):
        return [settings]
    if not isinstance(settings, Mapping):
        return list(settings)
    return [f"{key}={inline_yaml(value)}" for key, value in _flatten(settings)]


def _flatten(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value and "." not in str(key) and "name" not in value:
            yield from ((f"{key}.{inner}", part) for inner, part in value.items())
        else:
            yield str(key), value


def inline_yaml(value: Any) -> str:
    """A Python value as one line of YAML."""
    text: str = yaml.dump([_plain(value)], Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=1 << 20)
    return text.strip()[1:-1]


def _plain(value: Any) -> Any:
    """Convert to types that YAML can represent: numpy values to Python's, any kind of date to `date`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        with contextlib.suppress(ValueError):  # not a valid date: the schema will report it
            return dt.date.fromisoformat(value)
    return value if isinstance(value, str | int | float | dt.date | None) else str(value)


def override(document: Document, settings: Sequence[str]) -> Document:
    """Apply `a.b=c` settings to a copy of the document; values are YAML, and `members.0.b=c` sets a list item.

    Raises:
        ConfigError: a setting has no `=`, its value is not YAML, a key along its path is neither a section nor a list,
            or a list has no such item.
    """
    values = _copy(document.values)
    places = dict(document.places)
    for setting in settings:
        keys, value = parse_setting(setting)
        section: Any = values
        path: list[str | int] = []
        for place, key in enumerate(keys):
            path.append(_place(section, key, setting, keys[:place]))
            if place == len(keys) - 1:
                section[path[-1]] = value
            elif isinstance(section, dict):
                section = section.setdefault(key, {})
            else:
                section = section[path[-1]]
        places[tuple(path)] = f"--set {shown_setting(setting)}"
    return Document(document.name, values, places)


def _load(text: str) -> tuple[yaml.Node | None, Any]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _place(section: Any, key: str, setting: str, above: tuple[str, ...]) -> str | int:
    """The key of a section, or the index of a list item."""
    if isinstance(section, dict):
        return key
    name = ".".join(above)
    if not isinstance(section, list):
        raise ConfigError(f"--set {shown_setting(setting)}: {quoted(name)} is a value, expected a section.")
    if not re.fullmatch("[0-9]{1,6}", key) or int(key) >= len(section):
        items = f"0 to {len(section) - 1}" if len(section) > 1 else "only 0" if section else "none (it is empty)"
        what = f"{quoted(name)} is a list: expected an item index, {items}, not {quoted(key)}"
        raise ConfigError(f"--set {shown_setting(setting)}: {what}.")
    return int(key)


def parse_setting(setting: str) -> tuple[tuple[str, ...], Any]:
    """`a.b=c` → its key path and its value.

    Raises:
        ConfigError: it has no `=`, or its value is not YAML.
    """
    key, equals, text = setting.partition("=")
    path = tuple(key.strip().split("."))
    if not equals or not all(path) or len(path) > _DEEPEST:
        raise ConfigError(f"--set {shown_setting(setting)}: expected KEY=VALUE, such as training.steps=200.")
    try:
        return path, _load(text)[1]
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"--set {shown_setting(setting)}: {quoted(text)} is not a YAML value.") from error


def shown_setting(setting: str) -> str:
    """A `--set` as messages show it: at most so long, whatever was given."""
    return printable(setting if len(setting) <= MOST else f"{setting[:MOST]}…")


def _copy(value: Any) -> Any:
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return {key: _copy(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _record_lines(node: yaml.Node | None, path: Path, name: str, places: dict[Path, str]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            places[(*path, key.value)] = f"{name}:{key.start_mark.line + 1}"
            _record_lines(value, (*path, key.value), name, places)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            places[(*path, index)] = f"{name}:{value.start_mark.line + 1}"
            _record_lines(value, (*path, index), name, places)


def _key_text(key: yaml.Node) -> str:
    return quoted(key.value) if isinstance(key, yaml.ScalarNode) else "in brackets"
