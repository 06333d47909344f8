"""Writes docs/features.md from what `forecast features` says: `python docs/features.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from forecaster.workflows.features import UNITS, FeatureGroup, features

PAGE = Path(__file__).with_suffix(".md")

HEAD = """\
# Features

What a network reads at each candle: `features: [base, vol, volume]` in a config names *groups*, and each group
gives one or more columns. Everything is known at the close of the candle's day; every column is clipped at ±8,
and 0 where it is unknown. `forecast features` prints the same, `--format json` as data. A group of your own is
one function in one file: see [CONTRIBUTING](../CONTRIBUTING.md#one-file-each). Candles of other tickers come in
by a key of their own, `covariates: [^VIX]`: see [the end of this page](#covariates).

"Lag" is how far back a column reads: sessions, quarters of 91 days, or the half-life of an exponentially
weighted mean (EWMA) in sessions. Groups marked with ↻ can be computed from forecast candles too, which
`task.decoder: recursive` needs.
"""


def page() -> str:
    """The whole page, as Markdown."""
    found = features()
    used = {column.unit for one in found for column in one.columns}
    units = "".join(f"| {unit} | {text} |\n" for unit, text in UNITS.items() if unit in used)
    groups = "".join(line for one in found for line in _group(one))
    return f"{HEAD}\n| unit | meaning |\n|---|---|\n{units}{groups}"


def _group(one: FeatureGroup) -> Iterator[str]:
    yield f"\n## `{one.name}`{' ↻' if one.recursive else ''}\n\n{one.text} {one.details}".rstrip() + "\n"
    yield f"\n| {one.count} column{'s' if one.count > 1 else ''} | unit | lag | meaning |\n|---|---|---|---|\n"
    for column in one.columns:
        label, meaning = (text.replace("|", "\\|") for text in (column.label, column.meaning))
        yield f"| `{label}` | {column.unit} | {column.lag} | {meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
