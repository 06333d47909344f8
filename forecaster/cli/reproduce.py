"""forecast runs reproduce"""

from __future__ import annotations

from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.runs_group import runs


@runs.command(epilog=examples("forecast runs reproduce latest", "forecast runs reproduce first --format json"))
def reproduce(
    run: opt.RunArgument = "latest",
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Train a run again and compare the weights bit for bit."""
    from forecaster.errors import PartialError
    from forecaster.show.output import present
    from forecaster.show.progress import training_progress
    from forecaster.show.runs import reproduction_view
    from forecaster.workflows.reproduce import in_words
    from forecaster.workflows.reproduce import reproduce as run_again

    with training_progress(quiet) as progress:
        found = run_again(run, data_dir=data_dir, runs_dir=runs_dir, say=progress.say, tick=progress.tick)
    present(reproduction_view(found), format, output)
    if not found.same:
        raise PartialError(in_words(found))
