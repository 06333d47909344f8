"""forecast score"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(epilog=examples("forecast score", "forecast score --run first --format json", "forecast score --verify"))
def score(
    run: Annotated[
        str | None,
        typer.Option(
            "--run", "-r", help="A run's folder or name, or latest; all runs if absent.", autocompletion=complete.runs
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check instead that no forecast was changed, removed or inserted later.")
    ] = False,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Score every forecast ever made against what happened."""
    from forecaster.errors import PartialError
    from forecaster.show.output import note, present
    from forecaster.show.score import chain_view, notes, score_view
    from forecaster.workflows.score import score as run_score
    from forecaster.workflows.score import verify_journal

    if verify and run is not None:
        raise typer.BadParameter("--verify checks the whole journal: leave --run out.", param_hint="--run")
    if verify:
        state = verify_journal(runs_dir)
        present(chain_view(state), format, output)
        if state.broken:
            raise PartialError(f"the journal is not as it was written: {state.broken}.")
        note("Keep the head elsewhere: it shows later that nothing before it has changed.", quiet)
        return
    record = run_score(run, data_dir=data_dir, runs_dir=runs_dir)
    present(score_view(record), format, output)
    for text in notes(record):
        note(f"note: {text}", quiet)
