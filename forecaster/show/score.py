"""The track record: scores of the journal's forecasts whose days have passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.evaluation.chain import ChainState
from forecaster.evaluation.track import HINDSIGHT, LIVE, TrackRow
from forecaster.show.columns import Facts, Sparing, by_column
from forecaster.show.output import View
from forecaster.show.words import VERDICT_COLOURS, basis_points, chance, share
from forecaster.workflows.score import TrackRecord

_TITLES = {
    LIVE: "Live: made before the day",
    HINDSIGHT: "In hindsight: made with --as-of, or when the day was over. This is not a track record.",
}
_LEGEND = (
    "Count is of forecasts, each of a ticker from one day. Pinball is of log(price / last close), in basis points; "
    "skill is the share by which it is lower than the {}'s on the same days, better by than that of the hardest simple "
    "formula; 50%, 80% and 90% are the shares of prices inside those bands."
)
_NAMES = ("run", "count", "pinball", "skill", "better by", "than", "p", "50%", "80%", "90%")
_MOST = 12
"""Months, or tickers, shown on the screen; data formats have all."""


def score_view(record: TrackRecord) -> View:
    """Rows of every run: in total, by ticker, by month and by step."""
    rows = [asdict(row) for row in record.rows]
    return View(record.as_data(), rows, lambda: _page(record))


def chain_view(state: ChainState) -> View:
    """What the check of the journal's hash chain found."""
    row = asdict(state)
    shown = {
        "forecasts": f"{state.rows:,}",
        **({"before the chain": f"{state.before:,}"} if state.before else {}),
        "state": state.broken or "as they were made",
        "head": state.head,
    }
    return View(row, [row], lambda: Facts(shown))


def notes(record: TrackRecord) -> Iterator[str]:
    """What is missing in the table, and why."""
    for one in record.set_aside:
        kind = "live" if one.live else "hindsight"
        yield f"{one.sessions:,} {kind} session{'' if one.sessions == 1 else 's'} not scored: {one.reason}."
    if record.next_day:
        yield f"The next session is {record.next_day}: fetch after it, then score again."


def _page(record: TrackRecord) -> RenderableType:
    parts: list[RenderableType] = []
    for made, title in _TITLES.items():
        rows = [row for row in record.rows if row.made == made]
        if rows:
            parts += [Text(f"\n{title}", "bold"), _table(rows)]
    if not record.rows:
        return Text("No forecast in the journal can be scored yet.", "yellow")
    parts.append(Text(_LEGEND.format(record.reference), "dim"))
    if record.verdicts:
        parts += [Text(), *(Text(verdict.text, VERDICT_COLOURS[verdict.code]) for verdict in record.verdicts)]
    else:
        parts.append(
            Text("\nNo live forecast could be scored yet: nothing here shows how good the forecasts are.", "yellow")
        )
    return Group(*parts)


def _table(rows: Sequence[TrackRow]) -> Sparing:
    lines, styles = list[list[str]](), list[str]()
    for run in dict.fromkeys(row.run for row in rows):
        own = [row for row in rows if row.run == run]
        for by in ("all", "step", "month", "ticker"):
            group = [row for row in own if row.by == by]
            shown = _newest(group) if by == "month" else group[:_MOST]
            for row in shown if by == "all" or len(group) > 1 else ():
                name = {"all": run, "step": f"  step {row.of}"}.get(by, f"  {row.of}")
                lines.append([name, *_figures(row)])
            if by != "all" and len(group) > len(shown):
                lines.append([f"  {len(group) - len(shown)} {by}s more", *[""] * (len(_NAMES) - 1)])
            styles += ["" if by == "all" else "dim"] * (len(lines) - len(styles))
    return Sparing(
        by_column(_NAMES, lines), ("run", "than"), ("50%", "90%", "skill", "p", "count", "than"), ("run",), styles
    )


def _newest(rows: Sequence[TrackRow]) -> Sequence[TrackRow]:
    return rows[-_MOST:]


def _figures(row: TrackRow) -> list[str]:
    return [
        f"{row.forecasts:,}",
        basis_points(row.pinball),
        _percent(row.skill_pinball),
        _percent(row.skill_hardest),
        row.hardest,
        chance(row.p_hardest),
        *map(share, (row.coverage50, row.coverage80, row.coverage90)),
    ]


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{fraction:+.1%}"
