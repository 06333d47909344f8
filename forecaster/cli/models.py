"""forecast models"""

from __future__ import annotations

from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(epilog=examples("forecast models", "forecast models --format json"))
def models(
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """List the networks and baselines, with their parameters."""
    from forecaster.show.models import models_view
    from forecaster.show.output import present
    from forecaster.workflows.models import models as list_models

    present(models_view(list_models()), format, output)
