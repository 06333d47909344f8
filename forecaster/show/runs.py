"""The list of runs, and one run in detail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.show.columns import fitting, table, taken
from forecaster.show.output import View
from forecaster.show.skill import details, summary
from forecaster.show.skill import table as test_table
from forecaster.show.words import VERDICT_COLOURS, chance, shortened, signed, steps
from forecaster.workflows.delete_runs import Condemned
from forecaster.workflows.reproduce import Reproduction, in_words
from forecaster.workflows.runs import RunDetails, RunListing, RunRecord


def listing_view(found: RunListing) -> View:
    """One row per run."""
    data = [asdict(record) for record in found.records]
    rows = [row | {"horizon": " ".join(map(str, row["horizon"] or ())) or None} for row in data]
    return View(data, rows, lambda: _Listing(found.records))


def run_view(run: RunDetails) -> View:
    """Verdict, data, config and versions; the long form has one row per key."""
    data = run.as_data()
    rows = [{"key": key, "value": value} for key, value in flat(data)]
    return View(data, rows, lambda: _page(run, data))


def flat(data: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """`model.name`, `gru` for each leaf; a list is one value."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from flat(value, f"{key}.{name}" if key else str(name))
    elif isinstance(data, list | tuple) and any(isinstance(item, dict) for item in data):
        for place, item in enumerate(data):
            yield from flat(item, f"{key}.{place}")
    else:
        yield key, short(data)


def short(value: Any) -> str:
    """A value as in YAML, on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(short, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def condemned_text(found: Sequence[Condemned]) -> str:
    """The question before runs are deleted: one line per run, and what is asked."""
    lines = [
        f"  {one.folder.name}: {'finished' if one.finished else 'unfinished'}, {one.files} "
        f"file{'s' if one.files > 1 else ''}, {one.size / 1024:,.0f} KB"
        for one in found
    ]
    what = "this run" if len(found) == 1 else f"these {len(found)} runs"
    return "\n".join((*lines, f"Delete {what} for good?"))


@dataclass(frozen=True)
class _Listing:
    """One line per run, at the width of the screen."""

    records: Sequence[RunRecord]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        figures = zip(*(_figures(record) for record in self.records), strict=True)
        columns: dict[str, Sequence[str | Text]] = {
            "run": [record.name for record in self.records],
            "config": [shortened(record.config or "", 20) for record in self.records],
            "made": [record.made for record in self.records],
            **dict(zip(("model", "steps", "tickers", "verdict", "skill", "p"), figures, strict=True)),
        }
        if taken(columns) > options.max_width:
            columns["made"] = [record.made[:10] for record in self.records]
        shown = fitting(columns, options.max_width, ("p", "tickers", "steps", "model", "config", "made"))
        colours = [
            {"unfinished": "yellow", "newer": "yellow", "damaged": "red"}.get(record.status, "")
            for record in self.records
        ]
        yield table(shown, left=("run", "config", "made", "model", "steps", "verdict"), folded=("run",), styles=colours)


def _figures(record: RunRecord) -> tuple[str | Text, ...]:
    if record.verdict is None:
        return "", "", "", record.status, "", ""
    verdict = Text("in-sample" if record.in_sample else record.verdict, VERDICT_COLOURS.get(record.verdict, ""))
    figures = signed(record.pinball_skill), chance(record.p_value)
    return str(record.model), steps(record.horizon or ()), str(record.tickers), verdict, *figures


def _page(run: RunDetails, data: dict[str, Any]) -> RenderableType:
    size = f"{run.weights:,} weights in {run.size / 1024:,.0f} KB"
    facts = data["data"] | {"tickers": _tickers(run), "fingerprint": run.header.fingerprint[:12]}
    parts: list[RenderableType] = [
        Text(f"\n{run.name}, made {run.made}: {size}", "bold"),
        *summary(run.card),
        Text(),
        test_table(run.card),
        *details(run.card),
        *(Text(note, "dim") for note in run.card.notes),
    ]
    for title, section in (("Data", facts), ("Config", data["config"]), ("Made with", data["versions"])):
        parts += [Text(f"\n{title}", "bold"), _pairs(section)]
    return Group(*parts)


def _tickers(run: RunDetails) -> str:
    names, shown = run.header.tickers, 8
    return f"{len(names)}: {', '.join(names[:shown])}{' …' if len(names) > shown else ''}"


def _pairs(section: dict[str, Any]) -> Table:
    pairs = Table(box=None, pad_edge=False, show_header=False)
    pairs.add_column(style="dim", no_wrap=True)
    pairs.add_column(overflow="fold")
    for key, value in flat(section):
        pairs.add_row(key, Text(value))  # [1, 2] is no markup
    return pairs


def reproduction_view(found: Reproduction) -> View:
    """Whether a second training gave the same bits."""
    row = asdict(found) | {"different": list(found.different), "reasons": list(found.reasons)}
    flat = row | {"different": " ".join(found.different), "reasons": " ".join(found.reasons)}
    return View(row, [flat], lambda: Text(in_words(found), "green" if found.same else "yellow"))
