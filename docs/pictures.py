"""Make the README's pictures from real runs on the sample: `make pictures`.

Each is what a command printed on a terminal of 80 columns, as SVG for light and for dark pages, or what it drew with
`--plot`, which follows the reader's own choice.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

FOLDER = Path(__file__).resolve().parent / "pictures"
COLUMNS = 80

# background, foreground, then black, red, green, yellow, blue, magenta, cyan, white
_LIGHT = [0xF6F8FA, 0x1F2328, 0x24292F, 0xCF222E, 0x116329, 0x7D4E00, 0x0969DA, 0x8250DF, 0x1B7C83, 0x6E7781]
_DARK = [0x161B22, 0xE6EDF3, 0x484F58, 0xFF7B72, 0x56D364, 0xE3B341, 0x79C0FF, 0xD2A8FF, 0x56D4DD, 0xB1BAC4]


def _rgb(colour: int) -> tuple[int, int, int]:
    return colour >> 16, colour >> 8 & 255, colour & 255


THEMES = {
    name: TerminalTheme(*map(_rgb, colours[:2]), [_rgb(colour) for colour in colours[2:]])
    for name, colours in (("light", _LIGHT), ("dark", _DARK))
}
# Pages that show an SVG as a picture load no fonts from elsewhere: take the reader's own.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
)


def main() -> None:
    """Fetch, forecast and train in a folder that is thrown away, and keep what the terminal showed."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _forecast(folder, "fetch --source sample")
        _draw("predict", "predict AAPL --horizon 5", folder)  # before any training: the run that ships
        _draw("train", "train demo --name first", folder)
        _forecast(folder, f"predict MSFT --plot {FOLDER / 'plot.svg'}")


def _draw(name: str, arguments: str, folder: str) -> None:
    screen = Text.assemble(
        ("$ ", "dim"), (f"forecast {arguments}", "bold"), "\n", Text.from_ansi(_forecast(folder, arguments))
    )
    for kind, theme in THEMES.items():
        console = Console(width=COLUMNS, record=True, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
        console.print(screen)
        svg = console.export_svg(title="", theme=theme, code_format=_FORMAT, unique_id=f"{name}-{kind}")
        (FOLDER / f"{name}-{kind}.svg").write_text(svg, encoding="utf-8")


def _forecast(folder: str, arguments: str) -> str:
    terminal = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FORECASTER_", "NO_COLOR"))}
    command = [sys.executable, "-m", "forecaster", *arguments.split()]
    done = subprocess.run(command, cwd=folder, env=inherited | terminal, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
