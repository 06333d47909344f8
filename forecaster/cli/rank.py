"""forecast rank"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(
    epilog=examples(
        "forecast rank --all",
        "forecast rank AAPL MSFT IBM --by loss --days 5",
        "forecast rank --tickers-file dow30 --by volatility --format csv",
    )
)
def rank(
    tickers: Annotated[
        list[str] | None,
        typer.Argument(metavar="TICKER", help="Symbols; new ones are fetched.", autocompletion=complete.tickers),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Rank every ticker in the store.")] = False,
    tickers_file: opt.TickersFile = None,
    by: Annotated[Literal["range", "volatility", "loss"], typer.Option(help="What to rank by.")] = "range",
    days: Annotated[int, typer.Option(min=1, help="Sessions ahead, one of the run's steps.")] = 1,
    run: opt.RunOption = "latest",
    as_of: opt.AsOf = None,
    offline: opt.Offline = False,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Say which tickers may move most, up or down.

    Not which will rise: a ranking of returns has no skill, and is not offered.
    """
    names = opt.chosen_tickers(tickers, tickers_file, data_dir if every else None, "rank")
    from forecaster.errors import ForecasterError
    from forecaster.show.output import note, present
    from forecaster.show.rank import rank_view
    from forecaster.workflows.rank import rank as run_rank

    def failed(_: str, error: ForecasterError) -> None:
        note(f"error: {error}")

    found = run_rank(
        names,
        by=by,
        days=days,
        run=run,
        as_of=as_of,
        offline=offline,
        data_dir=data_dir,
        runs_dir=runs_dir,
        failed=failed,
        say=lambda text: note(f"· {text}", quiet),
    )
    present(rank_view(found), format, output)
    raise typer.Exit(3 if found.failures else 0)
