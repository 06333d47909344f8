"""The YAML that a search ends with: the config with the best values, and in comments where they come from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from forecaster.baselines import REFERENCE
from forecaster.config.document import Document, dump, inline_yaml, override, parse, setting_texts
from forecaster.config.tune import RangeConfig
from forecaster.data.splits import Split
from forecaster.runs.space import Choices
from forecaster.tuning.findings import Findings, Tried
from forecaster.tuning.search import Search

_WIDE = 110
"""Columns of a comment."""


def tuned_yaml(search: Search, name: str, found: Findings, split: Split) -> str:
    """The config as written, with the best trial's values; it trains as it is, and can be tuned again."""
    best = found.best
    assert best is not None
    document = override(search.document, setting_texts(dict(best.values)))
    rest = {key: value for key, value in document.values.items() if key != "tune"}
    body = dump(rest | {"tune": document.values["tune"] | {"found": len(found.trials)}}, compact=True)
    lines = (line for text in _head(search, name, found, best, split) for line in textwrap.wrap(text, _WIDE))
    head = "".join(f"# {line}\n" for line in lines)
    return head + _annotated(body, {key: _comment(search, key, found) for key in best.values})


def _head(search: Search, name: str, found: Findings, best: Tried, split: Split) -> Iterator[str]:
    trials, pruned, unusable = len(found.trials), found.count("pruned"), found.count("unusable")
    kinds = [text for count, text in ((pruned, f"{pruned} pruned"), (unusable, f"{unusable} unusable")) if count]
    how = f" ({', '.join(kinds)})" if kinds else ""
    yield f"{name}, tuned by forecast tune: the best of {trials} trials{how} by validation."
    yield f"Judged after {split.train_end} to {split.validation_end} alone: no trial has seen the test, none is a look."
    own = f"; the config as written has {found.own.skill:+.2%}" if found.own and found.own is not best else ""
    yield f"Validation skill over {REFERENCE}: {best.skill:+.2%} (trial {best.number}){own}."
    if found.worth:
        yield found.worth.text
    else:
        yield "Too few trials or dates to say what of the gain is luck: only a test can tell."
    if search.config.training.refit:
        yield "Trials learnt without their validation period (training.refit: false); training it as it is refits."
    yield f"Study: {search.folder.name}"


def _comment(search: Search, key: str, found: Findings) -> str:
    share = f", importance {found.importance[key]:.0%}" if found.importance and key in found.importance else ""
    return f"# tuned: {_space(search.tune.space[key])}{share}"


def _space(choices: Choices) -> str:
    if isinstance(choices, RangeConfig):
        return f"{choices.low} to {choices.high}{', log' if choices.log else ''}"
    return f"one of {', '.join(map(inline_yaml, choices))}"


def _annotated(body: str, comments: dict[str, str]) -> str:
    """The YAML with a comment at the line of each key."""
    document, lines = parse(body, ""), body.splitlines()
    for key, comment in comments.items():
        line = _line(document, key)
        if line is not None:
            lines[line] += f"  {comment}"
    return "\n".join(lines) + "\n"


def _line(document: Document, key: str) -> int | None:
    parts: list[Any] = [int(part) if part.isdecimal() else part for part in key.split(".")]
    place = document.places.get(tuple(parts))
    return None if place is None else int(place.removeprefix(":")) - 1
