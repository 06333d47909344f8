"""Diagrams of what goes in and what comes out: layers, directions, the shapes of a task, attention."""

from __future__ import annotations

from sheet import Sheet, Words

LAST = 3


def layers(words: Words) -> Sheet:
    """Two layers over four days, and which states are `output`, `h_n` and `c_n`."""
    sheet = Sheet(600, 330, words)
    xs = [118 + 96 * day for day in range(LAST + 1)]
    for day, x in enumerate(xs):
        sheet.box(x, 290, 56, 32, f"x_{day + 1}", "input")
        for y, below in ((215, 272), (135, 196)):
            sheet.box(x, y, 60, 36, f"h_{day + 1}", "state")
            sheet.arrow((x, below), (x, y + 20))
            if day:
                sheet.arrow((x - 65, y), (x - 32, y), kind="memory")
        sheet.arrow((x, 116), (x, 81))
    sheet.text(14, 220, "layer 1", "quiet start")
    sheet.text(14, 140, "layer 2", "quiet start")
    sheet.box(262, 62, 380, 34, "output: the last layer, every day", "result")
    sheet.box(524, 175, 130, 138, "", "result")
    for y, text, kind in (
        (130, "h_n", ""), (154, "the last day,", "quiet"), (174, "every layer", "quiet"),
        (208, "c_n: the same", "quiet"), (228, "of an LSTM's c", "quiet"),
    ):  # fmt: skip
        sheet.text(524, y, text, kind)
    for y in (135, 215):
        sheet.arrow((xs[-1] + 31, y), (457, y), kind="memory")
    return sheet


def bidirectional(words: Words) -> Sheet:
    """Forwards and backwards: every output has seen the last candle."""
    sheet = Sheet(600, 340, words)
    xs = [90 + 140 * day for day in range(LAST + 1)]
    for day, x in enumerate(xs):
        sheet.box(x, 300, 60, 32, f"x_{day + 1}", "input")
        sheet.box(x - 22, 215, 56, 34, "→", "state")
        sheet.box(x + 26, 140, 56, 34, "←", "result")
        sheet.box(x, 62, 74, 34, f"output_{day + 1}")
        sheet.arrow((x - 22, 282), (x - 22, 234))
        sheet.arrow((x + 26, 282), (x + 26, 159))
        sheet.arrow((x - 22, 196), (x - 22, 81))
        sheet.arrow((x + 26, 121), (x + 26, 81))
        if day:
            sheet.arrow((x - 132, 215), (x - 52, 215), kind="memory")
            sheet.arrow((x - 4, 140), (x - 84, 140), kind="wrong")
    sheet.text(300, 28, "backwards, x_4 reaches the output of day 1: it has seen the future", "quiet")
    return sheet


def shapes(words: Words) -> Sheet:
    """The four shapes: which days have an input, and which an output."""
    sheet = Sheet(600, 500, words)
    cases = (
        ("N-to-1", (0, 1, 2), (2,), ()),
        ("N-to-N", (0, 1, 2), (0, 1, 2), ()),
        ("1-to-N", (0,), (0, 1, 2), (0, 1)),
        ("N-to-M", (0, 1), (1, 2, 3), (1, 2)),
    )
    for place, (title, inputs, outputs, fed) in enumerate(cases):
        left, top = 300 * (place % 2), 250 * (place // 2)
        sheet.text(left + 16, top + 28, title, "head")
        steps = range(max(*inputs, *outputs) + 1)
        xs = [left + 50 + 66 * step for step in steps]
        for step, x in zip(steps, xs, strict=True):
            sheet.box(x, top + 132, 44, 34, "h", "state")
            if step:
                sheet.arrow((x - 44, top + 132), (x - 23, top + 132), kind="memory")
            if step in inputs:
                sheet.box(x, top + 210, 44, 32, "x", "input")
                sheet.arrow((x, top + 193), (x, top + 151))
            if step in outputs:
                sheet.box(x, top + 64, 44, 32, "y", "result")
                sheet.arrow((x, top + 114), (x, top + 82))
            if step in fed:
                sheet.arrow((x + 22, top + 64), (x + 33, top + 64), (x + 33, top + 175), (x + 66, top + 175),
                            (x + 66, top + 151), kind="wrong")  # fmt: skip
    return sheet


def attention(words: Words) -> Sheet:
    """The way from an old candle to the newest: through every state, or in one step."""
    sheet = Sheet(600, 430, words)
    xs = [70 + 92 * day for day in range(6)]
    sheet.text(14, 28, "Recurrent: five steps from x_1 to h_6", "head")
    for day, x in enumerate(xs):
        sheet.box(x, 150, 52, 32, f"x_{day + 1}", "input")
        sheet.box(x, 82, 56, 34, f"h_{day + 1}", "state")
        sheet.arrow((x, 133), (x, 101))
        if day:
            sheet.arrow((x - 63, 82), (x - 30, 82), kind="memory")
    sheet.text(14, 222, "Attention: one step from each x to h_6, weighted", "head")
    for day, x in enumerate(xs):
        sheet.box(x, 380, 52, 32, f"x_{day + 1}", "input")
        sheet.arrow((x, 363), (xs[-1] - 26 + 5 * day, 288), kind="memory")
    sheet.box(xs[-1], 268, 60, 36, "h_6", "state")
    sheet.text(150, 268, "weights: softmax(q_6 · k / √d), sum 1", "quiet")
    return sheet
