"""A report as HTML: one file that loads nothing and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from pathlib import Path

from markupsafe import Markup

from forecaster.config.load import to_yaml
from forecaster.config.schema import VARIABLES
from forecaster.evaluation.diagnose import Diagnosis
from forecaster.evaluation.sentences import TITLES
from forecaster.show.report import figures, tables, words
from forecaster.show.report.payload import as_script, payload
from forecaster.show.svg import STACKED, THEME
from forecaster.workflows.report import Report

_FOLDER = Path(__file__).parent


def render(report: Report) -> str:
    """The page; whatever text comes from a run or a ticker is escaped by the template."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (
        Markup(THEME) + _own("style.css") + Markup(f"@media screen and (max-width: 44rem) {{{STACKED}}}\n"),
        _own("chart.js") + _own("explorer.js") + _own("finder.js"),
    )
    return environment.get_template("page.html").render(
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:",
        report=report,
        title=TITLES.get(report.card.verdict.code, report.card.verdict.code),
        figures=figures,
        tables=tables,
        words=words,
        facts=_facts(report),
        prices=("mean", *VARIABLES),
        config=to_yaml(report.config),
        explorer=_explorer(report.diagnosis) if report.diagnosis else None,
        members=[network.name for network in report.config.networks],
        percent=partial(tables.percent, decimals=1, sign=False),
    )


def _own(name: str) -> Markup:
    """A file of this package, which needs no escaping."""
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    """What a Content Security Policy calls an inline element by: only the one with this very text is used."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _explorer(found: Diagnosis) -> Markup:
    data = payload(found.explorer, found.card.horizon, len(found.levels) > 1)
    return Markup(as_script(data))


def _facts(report: Report) -> list[tuple[str, str]]:
    """What data the run saw."""
    header, card = report.header, report.card
    train, validation = header.split.train_end, header.split.validation_end
    first = report.diagnosis.first if report.diagnosis else report.config.data.start
    return [
        ("training", f"{f'{first} ' if first else ''}to {train}"),
        ("validation", f"after {train} to {validation}{', learnt from too' if report.config.training.refit else ''}"),
        ("test", f"{card.first} to {card.last}: {card.sessions:,} sessions, {card.origins:,} origins"),
        ("learnt from days up to", str(header.fitted_to)),
        ("refit for forecasts to come", f"on days up to {header.refit.fitted_to}" if header.refit else "no"),
        ("inputs", f"{len(header.features)} from {', '.join(report.config.features)}"),
        ("fingerprint of the candles", header.fingerprint),
    ]
