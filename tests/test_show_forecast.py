"""A forecast on a screen: few tickers, many tickers, narrow and wide, with and without colour."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from forecaster.inference.forecast import Forecast
from forecaster.show.forecast import forecast_view
from forecaster.show.notes import notes
from forecaster.workflows.train import TrainedRun
from tests.forecasts import made
from tests.studio import command, environment

pytest_plugins = ("tests.studio_fixtures",)


def screen(forecasts: list[Forecast], width: int = 80) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(forecast_view(forecasts).render(), crop=False)
    return capture.get()


@pytest.mark.parametrize("width", [50, 60, 80, 120])
@pytest.mark.parametrize("count", [1, 3, 4, 8, 9, 40])
@pytest.mark.parametrize("scale", [1.0, 100.0, 0.01])
def test_a_screen_fits_its_width(width: int, count: int, scale: float) -> None:
    shown = screen([made(f"T{place}", scale=scale) for place in range(count)], width)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown, "nothing is cut"


@pytest.mark.parametrize(("count", "charts", "tables"), [(1, 1, 1), (3, 3, 3), (4, 0, 4), (8, 0, 8), (9, 0, 0)])
def test_many_tickers_have_fewer_pictures(count: int, charts: int, tables: int) -> None:
    shown = screen([made(f"T{place}") for place in range(count)])
    assert shown.count("Body ┃ rose") == charts
    assert shown.count("date  ") == tables
    assert shown.count("No evidence of skill.") == 1
    assert all(f"T{place} " in shown for place in range(count))


def test_a_narrow_screen_keeps_date_close_and_band() -> None:
    forecast = made(scale=100.0)
    shown = screen([forecast], 40)
    assert str(forecast.dates[0]) in shown
    assert " close" in shown
    assert "80% of closes" in shown
    assert " open" not in shown


def test_levels_without_bands_have_a_table_and_no_chart() -> None:
    forecast = made(levels=(0.2, 0.5, 0.8))
    shown = screen([forecast])
    assert "┊" not in shown
    assert "80%" not in shown
    assert str(forecast.dates[-1]) in shown


def test_notes_that_hold_for_several_tickers_are_said_once() -> None:
    forecasts = [
        made(f"T{place}", warnings=(f"T{place}'s candles end on 2013-03-01: fetch.", "The run is old."))
        for place in range(8)
    ]
    assert notes(forecasts) == [
        "T0's candles end on 2013-03-01: fetch. The same holds for T1, T2, T3, T4, T5 and 2 more.",
        "The run is old.",
    ]
    assert notes(forecasts[:1]) == ["T0's candles end on 2013-03-01: fetch.", "The run is old."]
    assert notes([made()]) == []


@pytest.mark.parametrize(
    ("more", "ascii_only"),
    [
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"PYTHONIOENCODING": "ascii"}, True),
        ({"PYTHONIOENCODING": "latin-1"}, True),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, True),
    ],
)
def test_a_poor_terminal_shows_the_same_without_colour_or_question_marks(
    store: Path, trained: TrainedRun, more: dict[str, str], ascii_only: bool
) -> None:
    words = ("predict", "AAPL", "--run", str(trained.folder), "--data-dir", str(store))
    kept = {key: value for key, value in environment().items() if key not in ("NO_COLOR", "FORCE_COLOR", "PYTHONUTF8")}
    done = subprocess.run(
        command(*words), env=kept | {"COLUMNS": "80"} | more, cwd=store, capture_output=True, check=True
    )
    said = done.stdout.decode("latin-1" if ascii_only else "utf-8")
    assert not re.search(r"\x1b\[(?:\d;)*[349]\d", said), "no colour"
    assert said.isascii() == ascii_only
    assert "?" not in said
    assert "2013-03-04" in said
    assert ("o rose" if ascii_only else "┃ rose") in said
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in said.splitlines()) <= 80
