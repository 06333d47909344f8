"""forecast odds"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples

Prices = list[float] | None


@app.command(
    epilog=examples(
        "forecast odds AAPL",
        "forecast odds AAPL --above 450 --below 400 --within 5",
        "forecast odds AAPL --touch 460 --touch 410 --within 5",
        "forecast odds AAPL --size 500 --level 95",
    )
)
def odds(
    ticker: Annotated[
        str | None,
        typer.Argument(metavar="TICKER", help="One symbol; a new one is fetched.", autocompletion=complete.tickers),
    ] = None,
    above: Annotated[Prices, typer.Option(metavar="PRICE", help="Chance of a close above; can be repeated.")] = None,
    below: Annotated[Prices, typer.Option(metavar="PRICE", help="Chance of a close below; can be repeated.")] = None,
    touch: Annotated[
        Prices, typer.Option(metavar="PRICE", help="Chance of a touch on the way; of two, which comes first.")
    ] = None,
    within: Annotated[int | None, typer.Option(min=1, help="Sessions ahead; 5 if the run has so many steps.")] = None,
    size: Annotated[float | None, typer.Option(metavar="LOSS", help="Shares that rarely lose more than this.")] = None,
    level: Annotated[
        float | None, typer.Option(help="Per cent of --size, above 50 and up to 99; 95 if absent.")
    ] = None,
    run: opt.RunOption = "latest",
    as_of: opt.AsOf = None,
    paths: Annotated[int, typer.Option(min=100, max=100_000, help="Paths to draw.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the paths.")] = 0,
    offline: opt.Offline = False,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Say how probable it is that a price is reached.

    By a close on or by a day, by a high or low on the way; beside a random walk without drift.
    """
    if ticker is None:
        raise typer.BadParameter("no ticker: expected one symbol, as in forecast odds AAPL.", param_hint="TICKER")
    if level is not None and size is None:
        raise typer.BadParameter(f"--level {level:g} is of --size: name the loss too.", param_hint="--level")
    from forecaster.show.odds import odds_view
    from forecaster.show.output import note, present
    from forecaster.workflows.odds import odds as run_odds

    found = run_odds(
        ticker,
        above=above or (),
        below=below or (),
        touch=touch or (),
        within=within,
        size=size,
        level=95 if level is None else level,
        run=run,
        as_of=as_of,
        paths=paths,
        seed=seed,
        offline=offline,
        data_dir=data_dir,
        runs_dir=runs_dir,
        say=lambda text: note(f"· {text}", quiet),
    )
    present(odds_view(found), format, output)
    for text in found.notes:
        note(f"note: {text}", quiet)
