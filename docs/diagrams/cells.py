"""Diagrams of one network each: a DNN, the DNN unrolled over days, an LSTM's cell, a GRU's cell."""

from __future__ import annotations

import itertools

from sheet import Sheet, Words

PRICES = ("open", "high", "low", "close")
DAYS = ("t-2", "t-1", "t")


def dnn(words: Words) -> Sheet:
    """Four inputs, eight hidden units, four outputs, each joined with all of the next layer."""
    sheet = Sheet(600, 300, words)
    layers = [
        (110, [60 + 60 * place for place in range(4)]),
        (300, [38 + 32 * place for place in range(8)]),
        (490, [60 + 60 * place for place in range(4)]),
    ]
    for (x, ys), (other, others) in itertools.pairwise(layers):
        for y in ys:
            for end in others:
                sheet.arrow((x, y), (other, end), kind="thin")
    for (x, ys), kind in zip(layers, ("input", "state", "result"), strict=True):
        for y in ys:
            sheet.circle(x, y, kind=kind)
    for place, name in enumerate(PRICES):
        sheet.text(55, 65 + 60 * place, name)
        sheet.text(545, 65 + 60 * place, name)
    sheet.text(110, 291, "today's candle x_t", "quiet")
    sheet.text(300, 291, "hidden units h_t", "quiet")
    sheet.text(490, 291, "tomorrow's y_t", "quiet")
    return sheet


def unrolled(words: Words) -> Sheet:
    """The same DNN on three days, apart, and joined by its state."""
    sheet = Sheet(600, 480, words)
    for top, joined, title in ((0, False, "A DNN: every day by itself"), (240, True, "An RNN: the state goes on")):
        sheet.text(14, top + 26, title, "head")
        for place, day in enumerate(DAYS):
            x = 130 + 170 * place
            sheet.box(x, top + 206, 64, 32, f"x_{{{day}}}", "input")
            sheet.box(x, top + 134, 84, 40, f"h_{{{day}}}", "state")
            sheet.box(x, top + 66, 64, 32, f"y_{{{day}}}", "result")
            sheet.arrow((x, top + 190), (x, top + 156))
            sheet.arrow((x, top + 114), (x, top + 84))
            sheet.text(x + 24, top + 177, "W_{ih}", "quiet")
            if joined:
                sheet.arrow((x - 128 if place else x - 90, top + 134), (x - 44, top + 134), kind="memory")
                sheet.text(x - 84 if place else x - 66, top + 126, "W_{hh}" if place else "h_{t-3}", "quiet")
        if joined:
            sheet.arrow((512, top + 134), (560, top + 134), kind="memory")
            sheet.text(580, top + 139, "…")
    return sheet


def lstm(words: Words) -> Sheet:
    """The cell state on its straight way, the gates below it."""
    sheet = Sheet(600, 350, words)
    sheet.arrow((60, 70), (137, 70), kind="memory")
    sheet.arrow((163, 70), (307, 70), kind="memory")
    sheet.arrow((333, 70), (535, 70), kind="memory")
    sheet.text(34, 75, "c_{t-1}")
    sheet.text(562, 75, "c_t")
    sheet.text(236, 40, "the cell state: times f, plus i · g, and nothing else", "quiet")
    sheet.circle(150, 70, "×")
    sheet.circle(320, 70, "+")
    sheet.circle(320, 135, "×")
    sheet.circle(480, 200, "×")
    sheet.arrow((320, 122), (320, 83))
    for x, letter, rule in ((150, "f", "σ"), (265, "i", "σ"), (375, "g", "tanh"), (480, "o", "σ")):
        sheet.box(x, 250, 74, 38, f"{letter}: {rule}", "state" if rule == "σ" else "box")
        sheet.arrow((x, 305), (x, 270))
    sheet.arrow((150, 230), (150, 84))
    sheet.arrow((265, 230), (265, 135), (306, 135))
    sheet.arrow((375, 230), (375, 135), (334, 135))
    sheet.arrow((480, 230), (480, 214))
    sheet.arrow((480, 70), (480, 102))
    sheet.box(480, 120, 62, 34, "tanh")
    sheet.arrow((480, 138), (480, 186))
    sheet.arrow((494, 200), (535, 200), kind="memory")
    sheet.text(562, 205, "h_t")
    sheet.arrow((92, 305), (480, 305), kind="thin")
    sheet.text(46, 310, "x_t, h_{t-1}")
    for x, name in ((150, "forget"), (265, "input"), (375, "candidate"), (480, "output")):
        sheet.text(x, 332, name, "quiet")
    return sheet


def gru(words: Words) -> Sheet:
    """One state: the update gate mixes the old one with a candidate, which sees as much of the old as `r` lets it."""
    sheet = Sheet(600, 350, words)
    sheet.text(34, 75, "h_{t-1}")
    sheet.text(562, 75, "h_t")
    sheet.arrow((62, 70), (257, 70), kind="memory")
    sheet.arrow((283, 70), (427, 70), kind="memory")
    sheet.arrow((453, 70), (535, 70), kind="memory")
    sheet.circle(270, 70, "×")
    sheet.circle(440, 70, "+")
    sheet.circle(440, 145, "×")
    sheet.text(270, 40, "times z", "quiet")
    sheet.text(505, 150, "times 1 − z", "quiet")
    for x, letter, rule in ((150, "r", "σ"), (270, "z", "σ"), (440, "n", "tanh")):
        sheet.box(x, 250, 78, 38, f"{letter}: {rule}", "state" if rule == "σ" else "box")
        sheet.arrow((x, 305), (x, 270))
    sheet.arrow((150, 230), (150, 185), (355, 185), (355, 250), (400, 250))
    sheet.text(212, 178, "times r", "quiet")
    sheet.arrow((270, 230), (270, 84))
    sheet.arrow((270, 145), (426, 145))
    sheet.arrow((440, 230), (440, 159))
    sheet.arrow((440, 131), (440, 84))
    sheet.arrow((92, 305), (440, 305), kind="thin")
    sheet.text(46, 310, "x_t, h_{t-1}")
    for x, name in ((150, "reset"), (270, "update"), (440, "candidate")):
        sheet.text(x, 332, name, "quiet")
    return sheet
