"""What is wrong with a config."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from forecaster.show.output import View


def problems_view(config: str, problems: Sequence[str]) -> View:
    """One line a problem, or that there is none."""
    rows = [{"problem": problem} for problem in problems]
    text = Text("\n".join(problems)) if problems else Text(f"{config}: no problem found.", "green")
    return View({"config": config, "problems": list(problems)}, rows, lambda: text)
