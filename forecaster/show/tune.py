"""A search: its best trials as a table, its course and what matters as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.config.document import inline_yaml
from forecaster.errors import InputError
from forecaster.files import check_place, write_text
from forecaster.show.columns import Sparing, by_column
from forecaster.show.output import View
from forecaster.show.plot import Axis, Box, Look, Plot, legend, picture
from forecaster.show.svg import element
from forecaster.show.words import signed
from forecaster.tuning.findings import Tried
from forecaster.workflows.tune import Tuned

_SHOWN = 10
"""Trials in the table; all with --verbose."""

_WIDE, _HIGH, _BAR = 640, 300, 26
"""Pixels of the picture, and of a key's row below the curve."""


def tuned_view(result: Tuned, verbose: bool = False) -> View:
    """A finished search; the long form has one row a trial."""
    data = result.as_data()
    return View(data, [_row(one) for one in data["trials"]], lambda: _page(result, verbose))


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        key: value if isinstance(value, int | float | str | None) else inline_yaml(value)
        for key, value in one["values"].items()
    }
    return {key: one[key] for key in ("number", "state", "skill", "step", "own", "same", "reason")} | values


def _page(result: Tuned, verbose: bool) -> RenderableType:
    found = result.found
    first, last = result.validation
    ordered = sorted(found.trials, key=_rank)
    shown = ordered if verbose else ordered[:_SHOWN]
    parts: list[RenderableType] = [
        Text(f"\nValidation: after {first} to {last}; no trial has seen the test", "bold"),
        _table(result, shown),
    ]
    if len(shown) < len(ordered):
        parts.append(Text(f"… and {len(ordered) - len(shown)} more: --verbose shows them", "dim"))
    if found.importance:
        parts.append(Text(f"\nWhat matters: {_listed(found.importance)}"))
    parts.append(Text(f"\n{found.worth.text}" if found.worth else "\nToo few trials to say what luck is worth."))
    parts.append(Text(f"Wrote {result.output}."))
    return Group(*parts)


def _rank(one: Tried) -> tuple[bool, bool, float]:
    return one.state == "unusable", one.state == "pruned", -(one.skill or 0.0)


def _table(result: Tuned, trials: Sequence[Tried]) -> Sparing:
    keys = list(result.best.values)
    rows = [
        (str(one.number), signed(one.skill), _state(one), *(_short(one.values[key]) for key in keys)) for one in trials
    ]
    styles = ["green" if one is result.best else "dim" if one.state != "complete" else "" for one in trials]
    columns = by_column(("trial", "skill", "", *keys), rows)
    return Sparing(columns, ("",), spared=[*reversed(keys[1:])], folded=keys, styles=styles)


def _state(one: Tried) -> str:
    if one.same is not None:
        return f"as trial {one.same}"
    return "as written" if one.own else "" if one.state == "complete" else one.state


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _listed(importance: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {share:.0%}" for key, share in importance.items())


def check_picture(path: Path) -> None:
    """Refuse early what could not be written later.

    Raises:
        InputError: an unknown suffix, or a folder.
        OutsideError: there is no permission to write there.
    """
    if path.suffix.lower() != ".svg":
        raise InputError(f"--plot {path} ends in {path.suffix or 'nothing'}: expected .svg.")
    check_place(path)


def write_picture(path: Path, result: Tuned) -> None:
    """Write the picture of a search as SVG.

    Raises:
        OutsideError: the file cannot be written.
    """
    write_text(path, search_picture(result), named=True)


def search_picture(result: Tuned) -> Markup:
    """Validation skill of each trial with the best so far, and the importance of each key below."""
    importance = result.found.importance or {}
    bars = _BAR * len(importance) + (40 if importance else 0)
    return picture(_WIDE, _HIGH + bars, [*_course(result), *_bars(importance)])


def _course(result: Tuned) -> Iterator[Markup]:
    trials = [one for one in result.found.trials if one.skill is not None and one.state != "unusable"]
    complete = [one for one in trials if one.state == "complete"]
    skills, numbers = [100 * (one.skill or 0.0) for one in trials], [one.number for one in trials]
    plot = Plot(
        f"{result.config}: validation skill of each trial",
        Axis.of(numbers, "trial"),
        Axis.of(skills, "skill [%]"),
        Box(0, 0, _WIDE, _HIGH - 24),
    )
    yield from plot.frame()
    looks = {
        "complete": Look("accent", mark="circle", width=0),
        "pruned": Look("line", mark="circle", width=0, hollow=True),
    }
    for state, look in looks.items():
        chosen = [place for place, one in enumerate(trials) if one.state == state]
        yield from plot.marks([numbers[place] for place in chosen], [skills[place] for place in chosen], look)
    best = Look("other")
    xs, ys = _best_so_far(complete)
    yield from plot.line([*xs, max(numbers)], [*ys, ys[-1]], best)
    yield from legend(
        [("finished", looks["complete"]), ("pruned", looks["pruned"]), ("best so far", best)], 60, _HIGH - 22, _WIDE
    )


def _best_so_far(trials: Sequence[Tried]) -> tuple[list[float], list[float]]:
    """A staircase: the place and height of each tread's ends."""
    xs: list[float] = []
    ys: list[float] = []
    for one in trials:
        skill = 100 * (one.skill or 0.0)
        if not ys or skill > ys[-1]:
            xs += [float(one.number)] * (2 if ys else 1)
            ys += [ys[-1], skill] if ys else [skill]
    return xs, ys


def _bars(importance: Mapping[str, float]) -> Iterator[Markup]:
    if not importance:
        return
    top, left = _HIGH + 30, 24 + 8.0 * max(map(len, importance))
    yield element("text", "What sets the best trials apart", class_="title", x=8, y=_HIGH + 18)
    for place, (key, share) in enumerate(importance.items()):
        y, wide = top + _BAR * place, (_WIDE - left - 70) * share
        yield element("text", key, class_="end", x=left - 8, y=y + 14)
        yield element("rect", x=left, y=y + 2, width=max(wide, 1.0), height=_BAR - 10, style="fill: var(--accent)")
        yield element("text", f"{share:.0%}", class_="tick", x=left + wide + 6, y=y + 14)
