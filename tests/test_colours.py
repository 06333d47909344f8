"""The series of a chart can be told apart by eyes that see no red, no green or no blue, on light pages and dark."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from forecaster.axes import Float
from forecaster.show import report
from forecaster.show.theme import THEME

STYLE = (Path(report.__file__).parent / "style.css").read_text(encoding="utf-8")

EYES = {
    "all colours": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Linear RGB → linear RGB, severity 1. Source: Machado, Oliveira & Fernandes (2009), table 1."""


def linear(colour: str) -> Float[np.ndarray, 3]:
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: Float[np.ndarray, 3]) -> Float[np.ndarray, 3]:
    """CIE L*a*b* of linear sRGB under D65: a distance of 2 can just be seen."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    share = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def nearest(colours: list[str], eye: str) -> float:
    """Distance of the two that are nearest to each other (CIE76)."""
    seen = [lab(EYES[eye] @ linear(colour)) for colour in colours]
    return min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(seen, 2))


def named(style: str, place: int, *names: str) -> list[str]:
    """Colours of a style sheet: the first are for light pages, the second for dark."""
    return [re.findall(rf"--{name}: (#\w+)", style)[place] for name in names]


def test_the_simulation_takes_red_from_green_where_an_eye_does() -> None:
    assert nearest(["#ff0000", "#00ff00"], "all colours") > 150
    alike = ["#b07000", "#7c8800"]
    assert nearest(alike, "no green") < 0.4 * nearest(alike, "all colours")
    for eye in EYES:
        assert nearest(["#808080", "#ffffff"], eye) == pytest.approx(
            nearest(["#808080", "#ffffff"], "all colours"), 0.01
        )


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_the_lines_of_a_chart_differ_to_every_eye(place: int, eye: str) -> None:
    assert nearest(named(THEME, place, "accent", "other", "third", "fourth"), eye) >= 30


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_bars_above_and_below_and_the_one_set_off_differ_to_every_eye(place: int, eye: str) -> None:
    assert nearest(named(THEME, place, "accent", "other"), eye) >= 40


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_candles_that_rose_and_fell_differ_to_every_eye(place: int, eye: str) -> None:
    assert nearest(named(THEME, place, "rose", "fell"), eye) >= 45


@pytest.mark.parametrize("eye", EYES)
def test_forecast_and_past_differ_to_every_eye(eye: str) -> None:
    for place in (0, 1):
        assert nearest(named(THEME, place, "accent", "ink"), eye) >= 25
