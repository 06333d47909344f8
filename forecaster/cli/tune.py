"""forecast tune"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(
    epilog=examples(
        "forecast tune my.yaml --trials 50",
        "forecast tune my.yaml --timeout 3600 --workers 4",
        "forecast tune my.yaml --output best.yaml --plot search.svg",
        "forecast train tuned-my.yaml",
    )
)
def tune(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG", help="A YAML with a section `tune: {space: …}`.", autocompletion=complete.configs
        ),
    ],
    settings: opt.Settings = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Configs to try in all, those of an earlier call included.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="No further trial begins after this time.")
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Where trials run: on this machine, or by Ray at RAY_ADDRESS.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Trials at a time; one per core if absent. 1 is reproducible.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The best config as YAML; tuned-CONFIG.yaml if absent."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Picture of the search: skills, and which keys matter.")
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    runs_dir: opt.RunsDir = opt.RUNS_DIR,
    format: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", "-f", help="Format of the list of trials.")
    ] = "table",
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Search a config's space by validation; the test stays sealed.

    The best config is written as a YAML that trains as it is. The same command continues what was interrupted.
    """
    from forecaster.show.output import note, present
    from forecaster.show.progress import training_progress
    from forecaster.show.tune import check_picture, tuned_view, write_picture
    from forecaster.workflows.tune import tune as run_tune

    if plot is not None:
        check_picture(plot)
    with training_progress(quiet) as progress:
        result = run_tune(
            config,
            settings=settings or (),
            trials=trials,
            timeout=timeout,
            engine=engine,
            workers=workers,
            output=output,
            data_dir=data_dir,
            runs_dir=runs_dir,
            say=progress.say,
            on_trials=progress.trials,
        )
    if plot is not None:
        write_picture(plot, result)
        note(f"Picture: {plot}", quiet)
    present(tuned_view(result, verbose), format)
    note(f"Train it: forecast train {result.output}", quiet)
