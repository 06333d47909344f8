"""forecast score"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(epilog=examples("forecast score", "forecast score --run first --format json"))
def score(
    run: Annotated[
        str | None,
        typer.Option(
            "--run", "-r", help="A run's folder or name, or latest; all runs if absent.", autocompletion=complete.runs
        ),
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Score every forecast ever made against what happened."""
    from forecaster.show.output import note, present
    from forecaster.show.score import notes, score_view
    from forecaster.workflows.score import score as run_score

    record = run_score(run, data_dir=data_dir, runs_dir=runs_dir)
    present(score_view(record), format, output)
    for text in notes(record):
        note(f"note: {text}", quiet)
