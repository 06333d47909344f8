"""What runs were made from, and the keys of config, data and versions in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forecaster.header import Header


@dataclass(frozen=True)
class Difference:
    """A key of config, data or versions in which runs differ; one value for each run, None if a run lacks the key."""

    kind: str
    key: str
    values: tuple[Any, ...]


def differences_of(headers: Sequence[Header]) -> tuple[Difference, ...]:
    """Compares config key by key, then data and versions."""
    return (
        *_differences("config", [_flat(config) for config in _as_ensembles([config_of(header) for header in headers])]),
        *_differences("data", [data_of(header) for header in headers]),
        *_missing_tickers(headers),
        *_differences("versions", [dict(header.versions) for header in headers]),
    )


def config_of(header: Header) -> dict[str, Any]:
    """The resolved config, as values for JSON."""
    config: dict[str, Any] = header.as_json()["config"]
    return config


def data_of(header: Header) -> dict[str, Any]:
    """The data of a run: number of tickers, dates, and fingerprint of the candles."""
    card, split = header.scorecard, header.split
    return {
        "tickers": len(header.tickers),
        "fitted_to": str(header.fitted_to),
        "refitted_to": str(header.refit.fitted_to) if header.refit else None,
        "train_end": str(split.train_end),
        "validation_end": str(split.validation_end),
        "test_end": str(split.test_end),
        "first_test_origin": card["first"],
        "last_test_origin": card["last"],
        "fingerprint": header.fingerprint,
    }


def _missing_tickers(headers: Sequence[Header]) -> Iterator[Difference]:
    """Tickers that only other runs were trained on."""
    every = set[str]().union(*(header.tickers for header in headers))
    missing = tuple(tuple(sorted(every.difference(header.tickers))) or None for header in headers)
    if any(missing):
        yield Difference("data", "tickers lacking", missing)


def _differences(kind: str, tables: Sequence[dict[str, Any]]) -> Iterator[Difference]:
    for key in sorted(set().union(*tables)):
        values = tuple(table.get(key) for table in tables)
        if any(value != values[0] for value in values):
            yield Difference(kind, key, values)


def _as_ensembles(configs: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """If any run is an ensemble, writes single models as ensembles of one member, so that their keys compare."""
    if not any(config.get("members") for config in configs):
        return configs
    return [
        config if config.get("members") else {"members": [config["model"]], **_without(config, "model", "members")}
        for config in configs
    ]


def _without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in names}


def _flat(config: dict[str, Any], key: str = "") -> dict[str, Any]:
    """`{model: {name: gru}}` → `{"model.name": "gru"}`; members are numbered; empty lists count as absent."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        path = f"{key}.{name}" if key else str(name)
        nested = {str(place): item for place, item in enumerate(value)} if _holds_sections(value) else value
        if isinstance(nested, dict):
            flat |= _flat(nested, path)
        elif nested not in ((), []):
            flat[path] = nested
    return flat


def _holds_sections(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value)
