"""forecast runs export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.runs_group import runs


@runs.command(
    epilog=examples("forecast runs export latest --to onnx", "forecast runs export first --to onnx --output first.onnx")
)
def export(
    run: opt.RunArgument,
    to: Annotated[Literal["onnx"], typer.Option(help="Format of the file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", callback=opt.place, help="File to write; RUN.onnx if absent.")
    ] = None,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", "-f", help="Format of the summary.")
    ] = "table",
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Write a run's networks as ONNX, for use without this package.

    The file's metadata describes inputs and outputs.
    """
    from forecaster.show.output import present
    from forecaster.show.runexport import exported_run_view
    from forecaster.workflows.export_run import export_run

    exported = export_run(run, output=output, runs_dir=runs_dir)
    if not quiet:
        present(exported_run_view(exported), format, needed=output is None)
