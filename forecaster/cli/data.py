"""forecast data list · show · export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.data_group import data


@data.command("list", epilog=examples("forecast data list", "forecast data list --format json"))
def list_(
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """List the tickers in the store."""
    from forecaster.errors import PartialError, at_most_five
    from forecaster.show.data import listing_view
    from forecaster.show.output import present
    from forecaster.workflows.data import listing

    found = listing(data_dir)
    present(listing_view(found.records), format, output)
    if found.damaged:
        raise PartialError(at_most_five(found.damaged))


@data.command(epilog=examples("forecast data show AAPL --rows 20", "forecast data show AAPL --rows 0 --format csv"))
def show(
    tickers: Annotated[
        list[str], typer.Argument(metavar="TICKER", help="Symbols, as in BRK-B.", autocompletion=complete.tickers)
    ],
    rows: Annotated[int, typer.Option(min=0, help="Number of last candles; 0 for all.")] = 10,
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Show the last candles of tickers."""
    from forecaster.show.data import candles_view
    from forecaster.show.output import present
    from forecaster.workflows.data import candles

    present(candles_view(candles(tickers, rows=rows, data_dir=data_dir)), format, output)


@data.command(
    epilog=examples(
        "forecast data export --to npz", "forecast data export --to safetensors --output two.safetensors AAPL MSFT"
    )
)
def export(
    to: Annotated[Literal["npz", "safetensors"], typer.Option(help="Format of the tensors.")],
    tickers: Annotated[
        list[str] | None,
        typer.Argument(metavar="TICKER", help="Symbols; all in the store if none.", autocompletion=complete.tickers),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", callback=opt.place, help="File to write; panel.npz or panel.safetensors if absent."
        ),
    ] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", "-f", help="Format of the summary.")
    ] = "table",
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Write the candles of all tickers as tensors.

    They are ohlc [ticker, date, 4] and observed [ticker, date].
    """
    from forecaster.show.data import export_view
    from forecaster.show.output import present
    from forecaster.workflows.data import export as run

    exported = run(to, tickers or (), output=output, data_dir=data_dir)
    if not quiet:
        present(export_view(exported), format, needed=output is None)
