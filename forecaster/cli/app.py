"""The application and the discovery of its commands."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Annotated

import typer


def _version(wanted: bool) -> bool:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("forecaster"))
        raise typer.Exit
    return wanted


def examples(*lines: str) -> str:
    """An epilog that shows each example on a line of its own, ready to be copied."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


app = typer.Typer(
    name="forecast",
    help="Forecast stocks from your terminal, and learn how far the forecast can be trusted.",
    epilog=examples("forecast fetch --source sample", "forecast train demo", "forecast predict AAPL"),
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's help takes twice as long
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _forecast(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def group(name: str, text: str) -> typer.Typer:
    """A command with subcommands, such as `forecast data list`."""
    inner = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(inner, name=name)
    return inner


def build(asked: str = "") -> typer.Typer:
    """The application with every command module of this package imported, or with one alone that is enough.

    Args:
        asked: the first word of a command line. A module of that name which adds a command of that name needs no other.
    """
    package = importlib.import_module("forecaster.cli")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    if asked in names:
        importlib.import_module(f"forecaster.cli.{asked}")
    if not any(command.callback and command.callback.__name__ == asked for command in app.registered_commands):
        for name in names:
            importlib.import_module(f"forecaster.cli.{name}")
    return app
