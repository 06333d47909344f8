"""forecast runs delete"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.runs_group import runs
from forecaster.errors import InputError


@runs.command(epilog=examples("forecast runs delete first", "forecast runs delete first second --yes"))
def delete(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN…", help="Names of runs in the runs folder, or latest.", autocompletion=complete.runs
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Delete runs, after asking.

    Their forecasts stay in the journal, where `forecast score` finds them, and their looks at a test still count.
    """
    from forecaster.show.output import note
    from forecaster.show.runs import condemned_text
    from forecaster.workflows.delete_runs import delete_runs, exit_code, find_runs

    found, errors = find_runs(names, runs_dir)
    for error in errors:
        note(f"error: {error}")
    if found and not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise InputError("runs are deleted only when asked on a terminal, and this is none: add --yes.")
        if not typer.confirm(condemned_text(found), err=True):
            note("Nothing was deleted.", quiet)
            raise typer.Exit(exit_code((), errors))
    gone, failures = delete_runs(found)
    for failure in failures:
        note(f"error: {failure}")
    for one in gone:
        note(f"Deleted {one.folder}.", quiet)
    raise typer.Exit(exit_code(gone, [*errors, *failures]))
