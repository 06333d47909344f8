"""forecast config init|check|list|schema"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import examples, group

config = group("config", "Write, check and list configs, and print their schema.")


@config.command(epilog=examples("forecast config init", "forecast config init my.yaml --like lstm"))
def init(
    file: Annotated[Path, typer.Argument(help="YAML file to write.")] = Path("forecast.yaml"),
    like: Annotated[
        str,
        typer.Option(
            help="Config to start from: a path or the name of a shipped one.", autocompletion=complete.configs
        ),
    ] = "gru",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Write a config with every key, its value and its meaning."""
    from forecaster.show.output import note
    from forecaster.workflows.config import init_config

    note(f"Wrote {init_config(file, like, force)}.", quiet)


@config.command(epilog=examples("forecast config check my.yaml"))
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG", help="A YAML file or the name of a shipped config.", autocompletion=complete.configs
        ),
    ],
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Find every problem of a config, with file, line and remedy."""
    from forecaster.show.config import problems_view
    from forecaster.show.output import present
    from forecaster.workflows.config import check_config

    problems = check_config(name)
    present(problems_view(name, problems), format, output)
    raise typer.Exit(3 if problems else 0)


@config.command("list", epilog=examples("forecast config list", "forecast config list --format json"))
def list_(
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """List the configs that ship, with what each is for."""
    from forecaster.config.about import shipped_configs
    from forecaster.show.config import configs_view
    from forecaster.show.output import present

    present(configs_view(shipped_configs()), format, output)


@config.command(epilog=examples("forecast config schema --output forecaster.schema.json"))
def schema(output: opt.Output = None, quiet: opt.Quiet = False, verbose: opt.Verbose = False) -> None:
    """Print the JSON Schema that editors use for completion."""
    from forecaster.files import write_text
    from forecaster.runs.config import config_schema
    from forecaster.show.output import present_text

    text = json.dumps(config_schema(), indent=2) + "\n"
    if output is None:
        present_text(text)
    else:
        write_text(output, text, named=True)
