"""forecast backtest"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(
    epilog=examples(
        "forecast backtest gru --refit-every 63",
        "forecast backtest latest",
        "forecast backtest pretrained --tickers AAPL,MSFT",
        "forecast backtest best --refit-every 126 --rolling 8y --format json",
        "forecast backtest gru --refit-every 63 --worker",
    )
)
def backtest(
    config_or_run: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG_OR_RUN",
            help="A YAML, a shipped config, or a run.",
            autocompletion=complete.configs_and_runs,
        ),
    ],
    settings: opt.Settings = None,
    tickers: Annotated[
        list[str] | None,
        typer.Option(metavar="TICKER", help="Test on these tickers, A,B or repeated; a run as it is, on unseen ones."),
    ] = None,
    refit_every: Annotated[
        int | None, typer.Option(min=1, help="Refit everything after this many test sessions.")
    ] = None,
    rolling: Annotated[str | None, typer.Option(metavar="SPAN", help="Train on the last 5y, 18m … only.")] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(
            help="Where folds are fitted: on this machine, or by Ray at RAY_ADDRESS (on this machine if unset)."
        ),
    ] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes for the folds; one per core if absent.")] = None,
    worker: Annotated[
        bool, typer.Option("--worker", help="Fit folds that no other process has taken; the last one shows the result.")
    ] = False,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Evaluate a config or a run through its test, refitting it.

    Walk-forward: each fold is fitted on what was known before it, and stands beside the simple formulas.
    """
    from forecaster.errors import InputError
    from forecaster.show.output import note, present
    from forecaster.show.progress import training_progress
    from forecaster.show.skill import backtest_view
    from forecaster.workflows.backtest import Backtest, backtest_worker
    from forecaster.workflows.backtest import backtest as run_backtest

    if worker and (workers or engine != "local"):
        other = f"--workers {workers}" if workers else f"--engine {engine}"
        raise InputError(f"--worker is one process among several, {other} starts several: use one of them.")
    given: dict[str, Any] = {"settings": settings or (), "refit_every": refit_every, "rolling": rolling}
    given |= {"tickers": [name for text in tickers or () for name in text.split(",") if name]}
    given |= {"data_dir": data_dir, "runs_dir": runs_dir}
    with training_progress(quiet) as progress:
        given |= {"say": progress.say, "tick": progress.tick, "fold": progress.fold}
        if worker:
            result = backtest_worker(config_or_run, **given)
        else:
            result = run_backtest(config_or_run, **given, folds=progress.folds, engine=engine, workers=workers)
    if isinstance(result, Backtest):
        present(backtest_view(result, verbose), format, output)
    else:
        note(str(result), quiet)
