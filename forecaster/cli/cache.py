"""forecast data cache"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.data_group import data


@data.command(epilog=examples("forecast data cache", "forecast data cache --clear"))
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete it; the next training computes it again.")] = False,
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Show the size of the features kept for large stores.

    From 1 GiB of features on, training reads them from files beside the store.
    """
    from forecaster.show.data import cache_view
    from forecaster.show.output import present
    from forecaster.workflows.cache import feature_cache

    state = feature_cache(data_dir, clear=clear)
    present(cache_view(state), format, output)
