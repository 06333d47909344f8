"""A report as HTML: one file that loads nothing and runs no script but its own."""

from __future__ import annotations

from markupsafe import Markup

from forecaster.config.load import to_yaml
from forecaster.config.schema import VARIABLES
from forecaster.evaluation.diagnose import Diagnosis
from forecaster.evaluation.scorecard import Scorecard
from forecaster.show import templates
from forecaster.show.report import figures, tables, words
from forecaster.show.report.payload import as_script, payload
from forecaster.show.templates import own
from forecaster.workflows.report import Report


def render(report: Report) -> str:
    """The page; any text that comes from a run or a ticker is escaped by the template."""
    scripts = ("report/chart.js", "report/explorer.js", "report/finder.js")
    return templates.render(
        "report/page.html",
        style=f"{own('report/style.css')}@media screen and (max-width: 44rem) {{\n{own('stacked.css')}}}\n",
        script="".join(map(own, scripts)) if report.diagnosis else "",
        report=report,
        title=words.headline(report.card),
        figures=figures,
        tables=tables,
        words=words,
        facts=_facts(report),
        prices=("mean", *VARIABLES),
        config=to_yaml(report.config),
        explorer=_explorer(report.diagnosis) if report.diagnosis else None,
        members=[network.name for network in report.config.networks],
    )


def _explorer(found: Diagnosis) -> Markup:
    data = payload(found.explorer, found.card.horizon, len(found.levels) > 1)
    return Markup(as_script(data))


def _origins(card: Scorecard) -> str:
    return f"{card.origins:,} origins (a ticker's close that a forecast starts from)"


def _facts(report: Report) -> list[tuple[str, str]]:
    """What data the run saw."""
    header, card = report.header, report.card
    train, validation = header.split.train_end, header.split.validation_end
    first = report.diagnosis.first if report.diagnosis else report.config.data.start
    return [
        ("training", f"{f'{first} ' if first else ''}to {train}"),
        ("validation", f"after {train} to {validation}{', learnt from too' if report.config.training.refit else ''}"),
        ("test", f"{card.first} to {card.last}: {card.sessions:,} sessions, {_origins(card)}"),
        ("learnt from days up to", str(header.fitted_to)),
        ("refit for forecasts to come", f"on days up to {header.refit.fitted_to}" if header.refit else "no"),
        ("inputs", f"{len(header.features)} from {', '.join((*report.config.features, *report.config.covariates))}"),
        ("fingerprint of the candles", header.fingerprint),
    ]
