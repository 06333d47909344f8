"""The typer application and the discovery of its commands."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


def _version(wanted: bool) -> bool:
    if wanted:
        from forecaster.release import installed_version

        typer.echo(installed_version())
        raise typer.Exit
    return wanted


def examples(*lines: str) -> str:
    """Epilog of a help text: examples, one per line."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


_ORDER = (
    *("fetch", "train", "predict", "backtest", "risk", "odds", "rank", "tune", "report", "score", "doctor"),
    *("runs", "data", "config", "models", "features"),
    *("init", "check", "list", "show", "compare", "verify", "export", "reproduce", "delete", "schema"),
)
"""Commands and subcommands in the order in which a user comes to need them; any other comes last."""

_WIDEST = 120
"""Columns of a help text at most: longer lines are hard to read."""


class Ordered(TyperGroup):
    """Lists its commands in the order of the work, not of the alphabet."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        """Names of the commands, as the help shows them."""
        places = {name: place for place, name in enumerate(_ORDER)}
        return sorted(self.commands, key=lambda name: (places.get(name, len(places)), name))


app = typer.Typer(
    name="forecast",
    cls=Ordered,
    help="Forecast stocks from your terminal, and see how far the forecasts can be trusted.",
    epilog=examples("forecast fetch --source sample", "forecast train demo", "forecast predict AAPL"),
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's help takes twice as long
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST},
)


@app.callback()
def _forecast(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def group(name: str, text: str) -> typer.Typer:
    """A command with subcommands, such as `forecast data list`."""
    inner = typer.Typer(cls=Ordered, help=text, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(inner, name=name)
    return inner


def build(asked: str = "") -> typer.Typer:
    """The application with every command module imported, or with only the one that the command needs.

    Args:
        asked: the first word of a command line. If the module of that name adds a command of that name, no other is
            imported.
    """
    package = importlib.import_module("forecaster.cli")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    if asked in names:
        importlib.import_module(f"forecaster.cli.{asked}")
    if not any(command.callback and command.callback.__name__ == asked for command in app.registered_commands):
        for name in names:
            importlib.import_module(f"forecaster.cli.{name}")
    return app
