"""YAML text → plain values, with the place where each one was written."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from forecaster.config.syntax import complaint
from forecaster.errors import ConfigError

Path = tuple[str | int, ...]
Settings = str | Sequence[str] | Mapping[str, Any]
"""Changes of a config: `a.b=c`, several of them, or a dict of keys, which may be nested."""


@dataclass(frozen=True)
class Document:
    """A mapping of settings and, for each key path, where it stands (`gru.yaml:12` or `--set`)."""

    name: str
    values: dict[str, Any]
    places: dict[Path, str] = field(default_factory=dict)

    def place(self, path: Sequence[str | int]) -> str:
        """Where the key stands: a `--set` in or above it, its own line, or that of the nearest section above it."""
        key = tuple(path)
        for written, place in self.places.items():
            if place.startswith("--set") and (written[: len(key)] == key or key[: len(written)] == written):
                return place
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, self.name)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: `ON`, `NO` and `0700` are tickers, not booleans or octals, and `1e-3` is a number."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            problem = f"the alias *{event.anchor} is not taken here: write the value out"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                problem = f"the key {_written(key)} is not a plain word"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_date(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError as error:
            problem = f"{node.value} is no date: {error}"
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
    """Quotes whatever YAML 1.1 or our loader would take for something else than text."""


_Dumper.yaml_implicit_resolvers = {
    first: yaml.SafeDumper.yaml_implicit_resolvers.get(first, []) + _Loader.yaml_implicit_resolvers.get(first, [])
    for first in yaml.SafeDumper.yaml_implicit_resolvers | _Loader.yaml_implicit_resolvers
}


def dump(values: dict[str, Any]) -> str:
    """Plain values as YAML text that `parse` reads back as they are."""
    text: str = yaml.dump(values, Dumper=_Dumper, sort_keys=False)
    return text


def parse(text: str, name: str) -> Document:
    """Read YAML text whose top is a mapping.

    Raises:
        ConfigError: the text is not YAML, or its top is a list or a single value.
    """
    try:
        node, values = _load(text)
    except yaml.YAMLError as error:
        line, problem = complaint(error, text)
        place = name if line is None else f"{name}:{line}"
        raise ConfigError(f"{place}: this is not valid YAML: {problem}.") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: it is nested too deeply, expected sections of plain settings.") from error
    if not isinstance(values, dict):
        kind = "empty" if values is None else "a list" if isinstance(values, list) else f"{values!r} alone"
        raise ConfigError(f"{name}:1: the file is {kind}, expected sections such as `data:` and `model:`.")
    places: dict[Path, str] = {}
    _mark(node, (), name, places)
    return Document(name, values, places)


def setting_texts(settings: Settings) -> list[str]:
    """Settings as `a.b=c` each, whether they are given so or as a dict: `{"a.b": c}` or `{"a": {"b": c}}`.

    A dict in the place of a section changes the keys that it names; one with a `name`, as a model has, replaces it.
    """
    if isinstance(settings, str):
        return [settings]
    if not isinstance(settings, Mapping):
        return list(settings)
    return [f"{key}={_written_out(value)}" for key, value in _keyed(settings)]


def _keyed(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value and "." not in str(key) and "name" not in value:
            yield from ((f"{key}.{inner}", part) for inner, part in value.items())
        else:
            yield str(key), value


def _written_out(value: Any) -> str:
    """A Python value as the YAML that means it, on one line."""
    text: str = yaml.dump([_simple(value)], Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=1 << 20)
    return text.strip()[1:-1]


def _simple(value: Any) -> Any:
    """What YAML can write: numpy's values as Python's, a day in any form as a date."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _simple(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_simple(part) for part in value]
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        with contextlib.suppress(ValueError):  # no such day: the schema will say so
            return dt.date.fromisoformat(value)
    return value if isinstance(value, str | int | float | dt.date | None) else str(value)


def override(document: Document, settings: Sequence[str]) -> Document:
    """Apply `a.b=c` settings, the value read as YAML, on a copy of the document; `members.0.b=c` goes into a list.

    Raises:
        ConfigError: a setting has no `=`, its value is not YAML, a key on its way is neither a section nor a list, or
            a list has no such item.
    """
    values = _copied(document.values)
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
        places[tuple(path)] = f"--set {setting}"
    return Document(document.name, values, places)


def _load(text: str) -> tuple[yaml.Node | None, Any]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _place(section: Any, key: str, setting: str, above: tuple[str, ...]) -> str | int:
    """The key of a section, or the number of a list's item."""
    if isinstance(section, dict):
        return key
    name = ".".join(above)
    if not isinstance(section, list):
        raise ConfigError(f"--set {setting}: {name!r} holds a value, expected a section.")
    if not key.isdecimal() or int(key) >= len(section):
        items = f"0 to {len(section) - 1}" if len(section) > 1 else "0 alone" if section else "none"
        raise ConfigError(f"--set {setting}: {name!r} is a list: expected the number of an item, {items}, not {key!r}.")
    return int(key)


def parse_setting(setting: str) -> tuple[tuple[str, ...], Any]:
    """`a.b=c` as its keys and its value.

    Raises:
        ConfigError: it has no `=`, or its value is not YAML.
    """
    key, equals, text = setting.partition("=")
    path = tuple(key.strip().split("."))
    if not equals or not all(path):
        raise ConfigError(f"--set {setting}: expected KEY=VALUE, such as training.steps=200.")
    try:
        return path, _load(text)[1]
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"--set {setting}: {text!r} is not a YAML value.") from error


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return {key: _copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _mark(node: yaml.Node | None, path: Path, name: str, places: dict[Path, str]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            places[(*path, key.value)] = f"{name}:{key.start_mark.line + 1}"
            _mark(value, (*path, key.value), name, places)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            places[(*path, index)] = f"{name}:{value.start_mark.line + 1}"
            _mark(value, (*path, index), name, places)


def _written(key: yaml.Node) -> str:
    return repr(key.value) if isinstance(key, yaml.ScalarNode) else "in brackets"
