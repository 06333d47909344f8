"""The space that `forecast tune` searches, checked: each choice and both ends of each range make a valid config."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from forecaster.config.document import Document, inline_yaml, override, setting_texts
from forecaster.config.schema import Config
from forecaster.config.tune import RangeConfig
from forecaster.errors import ConfigError, did_you_mean

Choices = tuple[Any, ...] | RangeConfig

_FIXED = {
    "data": "the candles and their split stay as they are: trials could not be compared",
    "evaluation": "the test stays sealed",
    "calibration": "it changes no validation loss",
    "tune": "a search cannot search itself",
    "tracking": "it changes no forecast",
    "covariates": "trials share their candles; search a second config instead",
    "task.horizon": "losses of other steps could not be compared",
    "training.refit": "a trial never learns from its validation period",
    "training.through": "a trial never learns from its validation period",
    "training.device": "it is where, not what, a trial learns",
}
"""Keys that a search leaves alone, and why."""

Check = Callable[[Document], Config]


def space_problems(config: Config, document: Document, check: Check) -> Iterator[str]:
    """What is wrong with `tune.space`, a line each.

    Args:
        config: the checked config.
        check: checks a document in which a value of the space is set.
    """
    if config.tune is None:
        return
    for key, choices in config.tune.space.items():
        place = document.place(("tune", "space", key))
        problem = _fixed(key) or _overlap(key, config.tune.space) or _unknown(key, config) or _contradiction(choices)
        if problem:
            yield f"{place}: tune.space.{key} {problem}{'' if problem.endswith('?') else '.'}"
            continue
        for value in ends(choices, current(config, key)):
            changed = Document(place, with_value(document, key, value).values)  # every place is that of the space
            yield from _invalid(key, value, changed, config, check)


def searched(config: Config) -> list[str]:
    """For readers of a test: that `forecast tune` chose the config; nothing if it did not."""
    found = config.tune and config.tune.found
    return [f"The config is the best of {found} trials by validation; none of them has seen the test."] if found else []


def ends(choices: Choices, now: Any) -> tuple[Any, ...]:
    """The choices, or the lowest and the highest value of a range, as the type that the key has now."""
    if not isinstance(choices, RangeConfig):
        return choices
    return (choices.low, choices.high) if whole(choices, now) else (float(choices.low), float(choices.high))


def whole(choices: RangeConfig, now: Any) -> bool:
    """Whether a range draws whole numbers: its ends are, and the key has no fractions now."""
    return isinstance(choices.low, int) and isinstance(choices.high, int) and not isinstance(now, float)


def current(config: Config, key: str) -> Any:
    """What a config has at a dotted key.

    Raises:
        KeyError: there is no such key.
    """
    value: Any = config.model_dump()
    for part in key.split("."):
        value = _within(value)[part]
    return value


def with_value(document: Document, key: str, value: Any) -> Document:
    """The document with another value of a key."""
    return override(document, setting_texts({key: value}))


def _within(value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        return {str(place): item for place, item in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _fixed(key: str) -> str:
    """Why a key may not be searched; a section of which a part may not neither."""
    for fixed, why in _FIXED.items():
        if key == fixed or key.startswith(f"{fixed}."):
            return f"cannot be searched: {why}; take it out"
        if fixed.startswith(f"{key}."):
            return f"is a whole section: name one of its keys, such as {key}.{_EXAMPLES[key]}"
    return ""


_EXAMPLES = {"training": "learning_rate", "task": "context"}


def _overlap(key: str, space: dict[str, Choices]) -> str:
    inner = [other for other in space if other.startswith(f"{key}.")]
    return f"contradicts tune.space.{inner[0]}, which is a part of it: keep one of them" if inner else ""


def _unknown(key: str, config: Config) -> str:
    known, parts = _within(config.model_dump(exclude=set(_FIXED) & set(Config.model_fields))), key.split(".")
    for place, part in enumerate(parts):
        if part not in known:
            return f"is no key of this config: {_remedy(part, known, place and '.'.join(parts[:place]))}"
        known = _within(known[part])
    return ""


def _remedy(part: str, known: dict[str, Any], section: str | int) -> str:
    names = [name for name, value in known.items() if section or value not in (None, ())]
    if not names:
        return f"{section} has no keys"
    hint = did_you_mean(part, names).strip().removesuffix(".")
    return f"{hint[0].lower()}{hint[1:]}"


def _contradiction(choices: Choices) -> str:
    if isinstance(choices, RangeConfig):
        return ""
    texts = list(map(inline_yaml, choices))
    if len(texts) < 2:
        return f"has {'one choice' if texts else 'no choice'}: list at least two, or set the key itself"
    twice = [text for text in texts if texts.count(text) > 1]
    return f"has {twice[0]} twice: list each choice once" if twice else ""


def _invalid(key: str, value: Any, changed: Document, config: Config, check: Check) -> Sequence[str]:
    place = changed.name
    try:
        other = check(changed)
    except ConfigError as error:
        return [f"{place}: in tune.space, {problem.removeprefix(f'{place}: ')}" for problem in error.problems]
    if other.task.levels != config.task.levels or other.task.steps != config.task.steps:
        text = f"{key}: {inline_yaml(value)}"
        return [f"{place}: in tune.space, {text} has losses that cannot be compared with the others': drop it."]
    return []
