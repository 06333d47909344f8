"""forecast risk"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(
    epilog=examples(
        "forecast risk AAPL=100 MSFT=50",
        "forecast risk holdings.csv --days 20 --level 99",
        "forecast risk AAPL=0.6 MSFT=0.3 --weights",
        "forecast risk AAPL=100 IBM=-20 cash=5000 --format json",
        "forecast risk AAPL=100 MSFT=50 --backtest",
    )
)
def risk(
    holdings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HOLDINGS", help="TICKER=SHARES, cash=AMOUNT; or a CSV of ticker, and shares or weight."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Sessions ahead; 5 if the run has so many steps.")] = None,
    level: Annotated[float, typer.Option(help="Per cent of the value at risk, above 50 and up to 99.")] = 95,
    weights: Annotated[bool, typer.Option("--weights", help="The numbers are weights; results in %.")] = False,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Of the results; that of the first holding if absent.")
    ] = None,
    backtest: Annotated[bool, typer.Option("--backtest", help="Also test such values at risk on past days.")] = False,
    run: opt.RunOption = "latest",
    as_of: opt.AsOf = None,
    paths: Annotated[int, typer.Option(min=100, max=100_000, help="Joint paths to draw.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the paths.")] = 0,
    offline: opt.Offline = False,
    plot: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Also write a page (.html) or a picture (.svg, .png); can be repeated."),
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Say what a portfolio may lose, and what each holding adds.

    Value at risk, expected shortfall and drawdown of all holdings together, from joint paths.
    """
    if not holdings:
        raise typer.BadParameter("no holdings: expected TICKER=SHARES or a CSV.", param_hint="HOLDINGS")
    from forecaster.show.notes import notes as forecast_notes
    from forecaster.show.output import note, present
    from forecaster.show.risk import risk_view
    from forecaster.workflows.risk import risk as run_risk

    if plot:
        from forecaster.show.riskpage import check_risk_plot, write_risk_plot

        for file in plot:
            check_risk_plot(file)
    found = run_risk(
        holdings,
        days=days,
        level=level,
        weights=weights,
        currency=currency,
        backtest=backtest,
        run=run,
        as_of=as_of,
        paths=paths,
        seed=seed,
        offline=offline,
        data_dir=data_dir,
        runs_dir=runs_dir,
        say=lambda text: note(f"· {text}", quiet),
    )
    for file in plot or ():
        write_risk_plot(file, found)
        note(f"Picture: {file}", quiet)
    present(risk_view(found), format, output)
    for text in (*forecast_notes(found.forecasts), *found.notes):
        note(f"note: {text}", quiet)
    raise typer.Exit(0 if found.complete else 3)
