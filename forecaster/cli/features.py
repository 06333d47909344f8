"""forecast features"""

from __future__ import annotations

from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(epilog=examples("forecast features", "forecast features --format json"))
def features(
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """List the feature groups with their columns, units and lags."""
    from forecaster.show.features import features_view
    from forecaster.show.output import present
    from forecaster.workflows.features import features as list_features

    present(features_view(list_features()), format, output)
