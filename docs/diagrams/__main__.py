"""Draw the diagrams of docs/rnn.md, in English and in Chinese: `make pictures` (`python docs/diagrams [FOLDER]`)."""

from __future__ import annotations

import sys
from pathlib import Path

import cells
import gradient
import shapes
from chinese import WORDS

FOLDER = Path(__file__).resolve().parents[1] / "pictures" / "rnn"
DIAGRAMS = (
    cells.dnn, cells.unrolled, cells.lstm, cells.gru,
    shapes.layers, shapes.bidirectional, shapes.shapes, shapes.attention,
)  # fmt: skip


def main(folder: Path) -> None:
    """One file a diagram and language; both follow the viewer's light or dark."""
    for place, words in ((folder, {}), (folder / "zh", WORDS)):
        place.mkdir(parents=True, exist_ok=True)
        for draw in DIAGRAMS:
            (place / f"{draw.__name__}.svg").write_text(draw(words).svg(), encoding="utf-8")
        (place / "gradient.svg").write_text(gradient.drawn(words), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
