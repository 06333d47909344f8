"""The one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

TARGETS = (0.0, 0.01)
"""Skill over the EWMA random walk, as a share, to which CPU-seconds are counted."""

OURS = "forecaster"
COLUMNS = ("neuralforecast", "darts", "pytorch-forecasting", "gluonts", "ours, closes", "ours, as shipped")

Results = Mapping[str, Mapping[str, Any]]


def render(results: Results) -> str:
    """Markdown: a line a figure, a column a library, and how ours compares with the best of the others.

    Args:
        results: by library, as `run.py` records them; a library or a figure that is missing leaves a dash.
    """
    lines = [f"| | {' | '.join(COLUMNS)} | ours to the best peer |", f"|---|{'---|' * (len(COLUMNS) + 1)}"]
    lines += [f"| {' | '.join(line)} |" for line in _lines(results)]
    told = [f"Failed: {one['broken']}" for one in results.values() if "broken" in one]
    versions = [_versions(name, one["versions"]) for name, one in results.items() if "versions" in one]
    return "\n".join(lines) + "".join(f"\n\n{text}" for text in [*told, f"Versions: {'; '.join(versions)}."])


def _versions(name: str, found: Mapping[str, str]) -> str:
    others = ", ".join(f"{key} {value}" for key, value in found.items() if key != name)
    return f"{name} {found[name]} ({others})" if others else f"{name} {found[name]}"


def _lines(results: Results) -> Iterator[list[str]]:
    for cell in ("lstm", "gru", "rnn"):
        get = lambda one, _, cell=cell: one.get("windows", {}).get(cell)  # noqa: E731
        yield _line(f"windows a second, {cell.upper()}", results, get, "{:,.0f}", more_is_better=True, shipped=False)
    for target in TARGETS:
        key = f"{target:.2f}"
        yield _seconds(f"CPU-s of training to {target:.0%} skill", results, key)
    yield _line("best skill over the EWMA random walk", results, _best("skill"), "{:+.2%}", ratio=False)
    yield _line("its MAE over the last close's", results, _best("mae"), "{:.3f}", ratio=False)
    for label, key, form, shipped in (
        ("CPU-s until the first step is done", "first_step_s", "{:.1f}", False),
        ("peak memory in training, MB", "peak_mb", "{:,.0f}", False),
        ("installed beside torch, MB", "install_mb", "{:,.0f}", True),
        ("import, CPU-s", "import_s", "{:.1f}", True),
        ("cold process to a forecast, CPU-s", "cold_s", "{:.2f}", True),
    ):
        yield _line(label, results, lambda one, _, key=key: one.get(key), form, shipped=shipped)


def _best(key: str) -> Callable[[Mapping[str, Any], str], float | None]:
    return lambda one, way: one.get("skill", {}).get(way, {}).get("best", {}).get(key)


def _values(
    results: Results, get: Callable[[Mapping[str, Any], str], float | None], shipped: bool
) -> list[float | None]:
    """A value a column; what is the same for both of our ways is said once where `shipped` is false."""
    ours = results.get(OURS, {})
    return [
        *(get(results.get(name, {}), "closes") for name in COLUMNS[:-2]),
        get(ours, "closes"),
        get(ours, "shipped") if shipped else None,
    ]


def _line(
    label: str,
    results: Results,
    get: Callable[[Mapping[str, Any], str], float | None],
    form: str,
    *,
    more_is_better: bool = False,
    shipped: bool = True,
    ratio: bool = True,
) -> list[str]:
    values = _values(results, get, shipped)
    peers, ours = [value for value in values[:-2] if value is not None], [one for one in values[-2:] if one is not None]
    compared = "–"
    if ratio and peers and ours:
        compared = _times(ours[0] / (max if more_is_better else min)(peers))
    return [label, *(_said(value, form) for value in values), compared]


def _seconds(label: str, results: Results, key: str) -> list[str]:
    """Where a target was not reached, how long it was tried; the last column is of ours by the closes."""

    def found(one: Mapping[str, Any], way: str) -> tuple[float | None, float] | None:
        skill = one.get("skill", {}).get(way)
        return None if skill is None else (skill["seconds_to"][key], skill["tried_s"])

    ours = results.get(OURS, {})
    values = [found(results.get(name, {}), "closes") for name in COLUMNS[:-2]]
    values += [found(ours, "closes"), found(ours, "shipped")]
    told = ["–" if one is None else f"> {one[1]:.0f}" if one[0] is None else f"{one[0]:.1f}" for one in values]
    reached = [one[0] for one in values[:-2] if one is not None and one[0] is not None]
    tried = [one[1] for one in values[:-2] if one is not None]
    own = values[-2]
    compared = "–"
    if own is not None and own[0] is not None and tried:
        compared = _times(own[0] / min(reached)) if reached else f"< {own[0] / max(tried):.2f} ×: no peer got there"
    return [label, *told, compared]


def _times(ratio: float) -> str:
    return f"{ratio:.2f} ×" if ratio >= 0.01 else "< 0.01 ×"


def _said(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value).replace("-", "−")
