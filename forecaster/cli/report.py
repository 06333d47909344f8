"""forecast report"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(epilog=examples("forecast report latest", "forecast report first --output first.html"))
def report(
    run: opt.RunArgument = "latest",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", callback=opt.place, help="File to write; report.html in the run's folder if absent."
        ),
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Write a report of a run as one HTML page.

    It has the verdict, the skill, the calibration, and a forecast explorer.
    """
    from forecaster.files import check_place, sweep, write_text
    from forecaster.runs.folder import REPORT, find_run, is_shipped
    from forecaster.show.output import note, present_text
    from forecaster.show.report.page import render
    from forecaster.workflows.report import report as gather

    folder = find_run(runs_dir, run)
    place = output or (Path(f"{folder.name}-{REPORT}") if is_shipped(folder) else folder / REPORT)
    check_place(place)
    content = gather(run, data_dir=data_dir, runs_dir=runs_dir, say=lambda text: note(f"· {text}", quiet))
    if output is None:
        sweep(place.parent, place.name)  # what a killed report left
    write_text(place, render(content), named=output is not None)
    present_text(f"{place}\n", needed=output is None)
    for text in content.notes:
        note(f"note: {text}", quiet)
