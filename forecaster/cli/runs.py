"""forecast runs list · show · compare"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.runs_group import runs


@runs.command("list", epilog=examples("forecast runs list", "forecast runs list --format json"))
def list_(
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """List the runs, including unfinished ones."""
    from forecaster.errors import PartialError, at_most_five
    from forecaster.show.output import present
    from forecaster.show.runs import listing_view
    from forecaster.workflows.runs import list_runs

    found = list_runs(runs_dir, data_dir=data_dir)
    present(listing_view(found), format, output)
    if found.damaged:
        raise PartialError(at_most_five(found.damaged))


@runs.command(epilog=examples("forecast runs show latest", "forecast runs show first --format json"))
def show(
    run: opt.RunArgument = "latest",
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Show a run's data, config and test results."""
    from forecaster.show.output import present
    from forecaster.show.runs import run_view
    from forecaster.workflows.runs import show_run

    present(run_view(show_run(run, data_dir=data_dir, runs_dir=runs_dir)), format, output)


@runs.command(epilog=examples("forecast runs compare first second", "forecast runs compare a b c --format json"))
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN…",
            help="Two or more runs; the others are compared with the first.",
            autocompletion=complete.runs,
        ),
    ],
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Show how runs differ in config, data and score.

    A significance test compares them on the days that they share.
    """
    from forecaster.show.compare import compare_view
    from forecaster.show.output import note, present
    from forecaster.workflows.compare import compare as run_compare

    comparison = run_compare(names, data_dir=data_dir, runs_dir=runs_dir, say=lambda text: note(f"· {text}", quiet))
    present(compare_view(comparison), format, output)
