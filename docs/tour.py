"""Run docs/tour.ipynb in an empty folder and keep its outputs: `make tour`; with FILE they are written there."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

TOUR = Path(__file__).resolve().with_name("tour.ipynb")
DRAW = "_ = apple.plot().save('plot.png')"


def main(target: Path) -> None:
    """Execute every cell and write the notebook with its new outputs."""
    book = nbformat.read(TOUR, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        book.cells.append(nbformat.v4.new_code_cell(DRAW))
        NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
        del book.cells[-1]
        _tidy(book, base64.b64encode(Path(folder, "plot.png").read_bytes()).decode())
    nbformat.write(book, target)


def _tidy(book: nbformat.NotebookNode, png: str) -> None:
    """Remove times and versions, which differ at each run; GitHub drops an SVG's style and is given the same as PNG."""
    book.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for cell in book.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            if output.get("data", {}).pop("image/svg+xml", None):
                output.data["image/png"] = png


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TOUR)
