"""Prices in words: as many digits as mean something."""

from __future__ import annotations

import math


def decimals(price: float) -> int:
    """Five digits count: 430.47, 1.0834, 12,345; above ten, cents are the least that is shown."""
    digits = 4 - math.floor(math.log10(price))
    return max(0, min(digits, 2) if price >= 10 else digits)


def price_text(price: float, like: float) -> str:
    """A price with the digits of another, so that prices of one forecast line up."""
    return f"{price:,.{decimals(like)}f}"
