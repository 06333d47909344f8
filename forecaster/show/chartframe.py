"""Axes of a chart: prices on the left, months below, the last day's median and band on the right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from forecaster.show.fan import Fan
from forecaster.show.scale import Scale, tick_texts
from forecaster.show.svg import element, line

LETTER = 6.4
"""Mean width of a letter in pixels; digits are wider, by at most a fifth."""

_DIGIT = 1.2 * LETTER
_APART = 13
"""Least pixels between two lines of text."""

_MONTHS, _DAYS = 15, 33
"""Pixels from the plot down to the two lines of text below it."""

_TICKS = 7
"""Prices on the axis, at most."""

FOOT = 44.0
"""Height of the text below the plot, in pixels."""

AHEAD = 0.25
"""Share of the plot's width that the forecast gets, however many sessions lie on either side."""

_WIDEST, _BODY = 32.0, 14.0
"""Maximum width in pixels of a past session and of a candle's body: a short history is not stretched."""


@dataclass(frozen=True)
class Frame:
    """The plot area within the picture, in pixels."""

    fan: Fan
    width: int
    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def of(cls, fan: Fan, width: int, height: int, head: float) -> Frame:
        """As wide as the labels on both sides allow."""
        left = 20 + _DIGIT * max(map(len, tick_texts(fan.ticks(_TICKS))))
        right = width - 12 - 1.1 * _DIGIT * max(len(fan.price(price)) for price in _labels(fan))
        return cls(fan, width, left, right, head, height - FOOT)

    @property
    def border(self) -> float:
        """x of the line between past and forecast."""
        return self.right - AHEAD * (self.right - self.left)

    def slot(self, session: int | float) -> float:
        """Width of a session in pixels: that of all past ones, or of all ahead."""
        # The border lies at 0.5, between the origin (0) and step 1.
        if session < 0.5:
            return min(_WIDEST, (self.border - self.left) / (1 - self.fan.first))
        return (self.right - self.border) / self.fan.last

    def x(self, session: int | float) -> float:
        # Past and forecast have scales of their own, which meet at the border.
        return self.border + (session - 0.5) * self.slot(session)

    def body(self, session: int) -> float:
        """Width of a candle's body."""
        return min(_BODY, max(2.0, 0.62 * self.slot(session)))

    @property
    def y(self) -> Scale:
        return Scale(self.fan.bounds, (self.bottom, self.top))


def axes(frame: Frame) -> Iterator[Markup]:
    """The grid with prices and months; a grid line without room for its label has none."""
    ticks = frame.fan.ticks(_TICKS)
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        y = frame.y(tick)
        yield element("path", class_="grid", d=line([frame.left, frame.right], [y, y]))
        if y - (frame.top - 8) >= _APART:
            yield element("text", text, class_="muted", x=frame.left - 6, y=y + 4, text_anchor="end")
    yield element("text", frame.fan.forecast.currency, class_="muted", x=12, y=frame.top - 4)
    room = frame.left
    for session, words in frame.fan.months:
        x = frame.x(session - 0.5)
        yield element("path", class_="grid", d=line([x, x], [frame.top, frame.bottom]))
        if x >= room and x + LETTER * len(words) < frame.width:
            yield element("text", words, class_="muted", x=x + 2, y=frame.bottom + _MONTHS)
            room = x + _DIGIT * (len(words) + 2)


def days(frame: Frame) -> Iterator[Markup]:
    """The line after the origin, the origin's date left of it, the last date right; it does not cross month labels."""
    forecast, x, y = frame.fan.forecast, frame.x(0.5), frame.bottom + _DAYS
    wide = _DIGIT * 10
    end = min(max(x + 5 + wide, frame.x(frame.fan.last) + wide / 2), frame.width - 6.0)
    between = line([x, x], [y - 12, y + 4]) if end - wide >= x + 2 else ""
    yield element("path", class_="origin", d=line([x, x], [frame.top - 8, frame.bottom]) + between)
    yield element("text", f"last close {forecast.origin}", x=min(x - 5, end - wide - 6), y=y, text_anchor="end")
    yield element("text", str(forecast.dates[-1]), x=end, y=y, text_anchor="end")


def figures(frame: Frame) -> Iterator[Markup]:
    """The last day's median and main band, right of the plot; where labels would touch, the band's are moved apart."""
    prices = _labels(frame.fan)
    middle = frame.y(prices[0])
    for place, price in enumerate(prices):
        # Pixels grow downwards: the band's upper end stays above the median's label, the lower one below.
        y = (middle, min(frame.y(price), middle - _APART), max(frame.y(price), middle + _APART))[place]
        yield element("text", frame.fan.price(price), class_="value", x=frame.right + 6, y=y + 4)


def _labels(fan: Fan) -> list[float]:
    """Median, and the upper and lower end of the main band, of the last day."""
    return [fan.median[-1], *((fan.main.upper[-1], fan.main.lower[-1]) if fan.main else ())]
