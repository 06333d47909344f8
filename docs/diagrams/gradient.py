"""The gradient by distance, as measured in benchmarks/memory, drawn for the page on recurrent networks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from forecaster.show.plot import Axis, Box, Look, Plot, legend, picture

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "memory" / "results.json"
WIDTH, HEIGHT, FARTHEST, LEAST = 600.0, 380.0, 60, 1e-12
LOOKS = {
    "RNN": Look("other"),
    "LSTM": Look("accent"),
    "GRU": Look("ink", dash="6 3"),
    "GRU, gates opened": Look("third", dash="2 3"),
}


def drawn(words: dict[str, str]) -> Markup:
    """Curves of the untrained cells, relative to their largest."""
    return picture(WIDTH, HEIGHT, list(_parts(words)))


def _parts(words: dict[str, str]) -> Iterator[Markup]:
    say = lambda text: words.get(text, text)  # noqa: E731
    start = json.loads(RESULTS.read_text(encoding="utf-8"))["gradient"]["start"]
    ticks = [(10.0**power, f"1e{power}") for power in (-12, -9, -6, -3, 0)]
    up = Axis(LEAST, 2.0, say("gradient, relative to its largest"), ticks, log=True)
    across = Axis.of([0, FARTHEST], say("steps between input and output"))
    plot = Plot(say("How much the output changes with an input so many steps ago"), across, up, Box(0, 0, WIDTH, 330))
    yield from plot.frame()
    for name, look in LOOKS.items():
        known = [(k, value) for k, value in enumerate(start[name][: FARTHEST + 1]) if value >= LEAST]
        yield from plot.line(*zip(*known, strict=True), look)
    yield from legend([(say(name), look) for name, look in LOOKS.items()], 30, 338, WIDTH - 40)
