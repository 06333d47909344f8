"""forecast predict"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(
    epilog=examples(
        "forecast predict AAPL",
        "forecast predict AAPL MSFT --horizon 3 --format json",
        "forecast predict IBM --as-of 2012-06-29 --run first",
        "forecast predict AAPL --paths 1000 --seed 7 --format csv --output paths.csv",
        "forecast predict --all --format csv --output evening.csv",
        "forecast predict --all --shard 3/8 --format parquet --output evening.parquet",
        "forecast predict AAPL --plot aapl.html",
    )
)
def predict(
    tickers: Annotated[
        list[str] | None,
        typer.Argument(metavar="TICKER", help="Symbols; new ones are fetched.", autocompletion=complete.tickers),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Forecast every ticker in the store.")] = False,
    tickers_file: opt.TickersFile = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only part I of N; --output gets -I-of-N in its name.")
    ] = None,
    run: opt.RunOption = "latest",
    horizon: Annotated[int | None, typer.Option(help="Sessions ahead, up to the trained horizon.")] = None,
    as_of: opt.AsOf = None,
    paths: Annotated[int | None, typer.Option(min=1, max=100_000, help="Coherent candle paths to draw.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the paths.")] = 0,
    context: Annotated[
        int | None, typer.Option(min=1, help="Grow the paths from this many last candles only; 1 is 1-to-N.")
    ] = None,
    offline: opt.Offline = False,
    plot: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Also write a picture: .html, .svg or .png; can be repeated."),
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Forecast the next sessions of tickers, with bands.

    The skill that the run had in its test stands beside them.
    """
    output = opt.shard_file(output, shard)
    names = opt.shard_of(opt.chosen_tickers(tickers, tickers_file, data_dir if every else None), shard)
    from forecaster.evaluation.journal import NOT_KEPT
    from forecaster.show.forecast import forecast_view
    from forecaster.show.notes import notes, steps_left_out
    from forecaster.show.output import note, present
    from forecaster.workflows.predict import Failure, exit_code
    from forecaster.workflows.predict import predict as run_predict

    plots = dict.fromkeys(plot or ())
    if plots:
        from forecaster.show.pictures import check_plot, write_plot

        for file in plots:
            check_plot(file, len(names))
    failures: list[Failure] = []
    forecasts = run_predict(
        names,
        run=run,
        data_dir=data_dir,
        runs_dir=runs_dir,
        horizon=horizon,
        as_of=as_of,
        paths=paths,
        seed=seed,
        context=context,
        offline=offline,
        failed=failures.append,
        say=lambda text: note(f"· {text}", quiet),
    )
    for failure in failures:
        note(f"error: {failure.error}")
    for file in plots if forecasts else ():
        write_plot(file, forecasts)  # before the table, whose pager or pipe may be closed early
        note(f"Picture: {file}", quiet)
    if forecasts:
        present(forecast_view(forecasts), format, output)
        for text in (*steps_left_out(horizon, forecasts[0]), *notes(forecasts)):
            note(f"note: {text}", quiet and not text.startswith(NOT_KEPT))
    raise typer.Exit(exit_code(forecasts, failures))
