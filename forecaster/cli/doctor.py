"""forecast doctor"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(epilog=examples("forecast doctor", "forecast doctor latest", "forecast doctor first --format json"))
def doctor(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run's folder or name, or latest.", autocompletion=complete.runs),
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Check the installation, the store, and a run for self-deceit.

    With a RUN, it looks for look-ahead, echo and the like.
    """
    from forecaster.show.doctor import doctor_view
    from forecaster.show.output import present
    from forecaster.show.progress import training_progress
    from forecaster.workflows.doctor import doctor as check

    with training_progress(quiet) as progress:
        result = check(run, data_dir=data_dir, runs_dir=runs_dir, say=progress.say)
    present(doctor_view(result), format, output)
    raise typer.Exit(0 if result.healthy else 3)
