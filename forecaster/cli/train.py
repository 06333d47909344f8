"""forecast train"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples
from forecaster.errors import InputError


@app.command(
    epilog=examples(
        "forecast train gru",
        "forecast train my.yaml --name first --set training.steps=400",
        "forecast train gru --set data.tickers='[AAPL, MSFT]' --set task.horizon=10",
        "forecast train gru --name first --force",
        "forecast train --resume first",
        "forecast train ensemble.yaml --engine ray",
    )
)
def train(
    config: Annotated[
        str | None,
        typer.Argument(
            metavar="CONFIG",
            help="A YAML file, or a shipped config: demo, gru, lstm and so on.",
            autocompletion=complete.configs,
        ),
    ] = None,
    settings: opt.Settings = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Name of the run's folder.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the run of that --name, once the new one is finished.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Continue an interrupted run.", autocompletion=complete.runs)
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Where networks are trained: here, or by Ray at RAY_ADDRESS (on this machine if unset)."),
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Networks trained at a time; one per core if absent.")
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Train a config and report its skill beside simple formulas."""
    if (config is None) == (resume is None):
        raise InputError("forecast train needs either CONFIG or --resume RUN: see `forecast train --help`.")
    if resume and (settings or name or force):
        raise InputError("--resume uses the run's own config and folder: omit --set, --name and --force.")
    if force and not name:
        raise InputError("--force overwrites the run of a --name, and none is given: add --name, or omit --force.")
    from forecaster.show.output import note, present
    from forecaster.show.progress import training_progress
    from forecaster.show.skill import trained_view
    from forecaster.workflows.train import resume as resume_run
    from forecaster.workflows.train import train as train_run

    given: dict[str, Any] = {"data_dir": data_dir, "runs_dir": runs_dir, "engine": engine, "workers": workers}
    with training_progress(quiet) as progress:
        given |= {"say": progress.say, "tick": progress.tick}
        if resume is not None:
            run = resume_run(resume, **given)
        else:
            run = train_run(str(config), settings=settings or (), name=name, force=force, **given)
    present(trained_view(run, verbose), format, output)
    note(f"Forecast with it: forecast predict TICKER --run {run.folder.name}", quiet)
