"""What is wrong with a config."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from forecaster.show.output import View


def problems_view(config: str, problems: Sequence[str]) -> View:
    """One line a problem, or that there is none."""
    rows = [{"problem": problem} for problem in problems]
    # whole lines, however long: an editor reads file and line from them
    text = (
        Text("\n".join(problems), no_wrap=True, overflow="ignore")
        if problems
        else Text(f"{config}: no problem found.", "green")
    )
    return View({"config": config, "problems": list(problems)}, rows, lambda: Group(text))
