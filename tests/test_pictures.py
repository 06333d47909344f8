"""Pictures of a forecast: what they show, that they stand alone, and what is refused before any work is done."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from forecaster.errors import InputError, OutsideError
from forecaster.inference.forecast import Forecast, History
from forecaster.show.chart import NARROW, WIDE, chart
from forecaster.show.fan import fan_of
from forecaster.show.page import page
from forecaster.show.pictures import check_plot, write_plot
from forecaster.show.sheet import standalone
from forecaster.workflows.train import TrainedRun
from tests.forecasts import made, with_paths
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

HORIZONS = [(1,), (1, 2, 3, 4, 5), tuple(range(1, 21)), (1, 2, 3, 4, 5, 20)]
EVIL = "<script>alert(1)</script>"
SVG = "{http://www.w3.org/2000/svg}"


def numbers(data: str | None) -> list[tuple[float, float]]:
    """The points of path data."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", data or "")]


def drawn(root: ET.Element) -> list[ET.Element]:
    """Paths of the chart alone, without those of the legend."""
    return root.findall("path")


def texts(root: ET.Element) -> list[str]:
    return ["".join(one.itertext()) for one in root.iter() if one.tag.endswith("text")]


@pytest.mark.parametrize("steps", HORIZONS)
def test_a_fan_begins_at_the_last_close_and_widens(steps: tuple[int, ...]) -> None:
    fan = fan_of(made(steps=steps))
    assert fan.xs == [0.0, *map(float, steps)], "step 20 lies at session 20, not at the sixth place"
    assert [round(band.share, 2) for band in fan.bands] == [0.9, 0.8, 0.5]
    for band in fan.bands:
        assert band.lower[0] == band.upper[0] == fan.forecast.last_close
        assert all(high > low for low, high in zip(band.lower[1:], band.upper[1:], strict=True))
    assert fan.reach is not None
    assert fan.main is not None
    assert round(fan.main.share, 2) == 0.8
    assert all(reach <= close for reach, close in zip(fan.reach.lower, fan.main.lower, strict=True))
    low, high = fan.bounds
    assert low < min(fan.bands[0].lower) < max(fan.bands[0].upper) < high
    assert fan.candles[-1, 3] == pytest.approx(fan.forecast.last_close)


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("steps", HORIZONS)
@pytest.mark.parametrize("scale", [1.0, 1000.0, 0.001])
def test_everything_drawn_lies_in_the_picture(width: int, steps: tuple[int, ...], scale: float) -> None:
    root = ET.fromstring(chart(made(steps=steps, scale=scale), width))
    wide, high = float(root.get("width", 0)), float(root.get("height", 0))
    points = [point for path in root.iter("path") for point in numbers(path.get("d"))]
    assert points
    assert all(0 <= x <= wide and 0 <= y <= high for x, y in points)
    for one in root.iter("text"):
        x, letters = float(one.get("x", 0)), len(one.text or "")
        start = x - 6.0 * letters if one.get("text-anchor") == "end" else x
        assert start >= 0, one.text
        assert start + 6.0 * letters <= wide + 6, one.text


def test_steps_stand_at_their_sessions() -> None:
    root = ET.fromstring(chart(made(steps=(1, 2, 3, 4, 5, 20)), WIDE))
    ahead = [numbers(path.get("d"))[0][0] for path in drawn(root) if "ahead" in path.get("class", "")]
    slots = [later - earlier for earlier, later in itertools.pairwise(ahead)]
    assert slots[-1] == pytest.approx(15 * slots[0], abs=0.1)


def test_rising_candles_are_hollow_and_falling_ones_filled() -> None:
    forecast = made()
    root = ET.fromstring(chart(forecast, WIDE))
    past = [path.get("class", "") for path in drawn(root) if path.get("class", "").startswith("candle")]
    past = [kind for kind in past if "ahead" not in kind]
    fell = forecast.history.ohlc[-len(past) :, 3] < forecast.history.ohlc[-len(past) :, 0]
    assert [("fell" in kind) for kind in past] == fell.tolist()


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("steps", HORIZONS)
def test_the_forecast_has_a_quarter_of_the_width(width: int, steps: tuple[int, ...]) -> None:
    root = ET.fromstring(chart(made(steps=steps), width))
    grid, origin = (next(one for one in drawn(root) if one.get("class") == kind) for kind in ("grid", "origin"))
    (left, _), (right, _) = numbers(grid.get("d"))
    assert right - numbers(origin.get("d"))[0][0] == pytest.approx(0.25 * (right - left), abs=0.1)


def test_a_short_history_stands_beside_its_forecast() -> None:
    forecast = made()
    one = replace(forecast, history=History(forecast.history.dates[-1:], forecast.history.ohlc[-1:]))
    root = ET.fromstring(chart(one, WIDE))
    origin = next(path for path in drawn(root) if path.get("class") == "origin")
    known = next(
        path for path in drawn(root) if "candle" in path.get("class", "") and "ahead" not in path.get("class", "")
    )
    assert 0 < numbers(origin.get("d"))[0][0] - numbers(known.get("d"))[0][0] < 20


@pytest.mark.parametrize(
    ("forecast", "said", "terms"),
    [
        (made(), "AAA 79.21 → by 15 October 75.88–82.69, median 79.21", "The range is for 80% of closes."),
        (made(steps=(60,)), "AAA 79.21 → by 4 January 2011 68.25–91.93, median 79.21", "for 80% of closes."),
        (made(levels=(0.25, 0.5, 0.75)), "AAA 79.21 → by 15 October 77.44–81.02, median 79.21", "for 50% of closes."),
        (made(levels=(0.5,)), "AAA 79.21 → by 15 October median 79.21", "medians alone: it claims no range."),
    ],
    ids=["a week", "another year", "no 80% band", "no band"],
)
def test_the_answer_comes_first_and_says_what_its_range_is(forecast: Forecast, said: str, terms: str) -> None:
    fan = fan_of(forecast)
    assert fan.answer() == said
    assert fan.terms.startswith("USD, after the close of 8 October 2010, by run first. ")
    assert fan.terms.endswith(terms)
    assert said in re.sub("<[^>]*>", "", page([forecast]).partition("<h1")[2].partition("\n")[0])


def test_the_terms_say_what_the_range_held_in_the_test() -> None:
    held = [{"step": 5, "band": 0.8, "held": 0.764}]
    assert fan_of(replace(made(), skill={"verdict": "", "held": held})).terms.endswith("; in the test it held 76%.")


@pytest.mark.parametrize(
    ("level", "said"), [(0.9, "9 of 10 highs below"), (0.75, "3 of 4 highs below"), (0.975, "39 of 40 highs below")]
)
def test_the_dashed_band_is_worded_by_its_level(level: float, said: str) -> None:
    words = fan_of(made(levels=(round(1 - level, 6), 0.5, level))).reach_words
    assert words == f"{said}, {said.replace('highs below', 'lows above')}"


def test_a_chart_names_currency_origin_last_day_and_figures() -> None:
    forecast = made(currency="EUR")
    said = texts(ET.fromstring(chart(forecast, WIDE)))
    assert "EUR" in said
    assert f"last close {forecast.origin}" in said
    assert str(forecast.dates[-1]) in said
    assert f"{forecast.point[-1, 3]:.2f}" in said


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 1), (3, 3), (4, 2), (7, 3)])
def test_many_tickers_are_a_grid_with_one_legend(count: int, columns: int) -> None:
    root = ET.fromstring(standalone([made(f"T{place}") for place in range(count)]))
    charts = [one for one in root.iter(f"{SVG}g") if one.find(f"{SVG}svg") is not None]
    places = [tuple(map(int, re.findall(r"\d+", one.get("transform", "")))) for one in charts]
    assert len(set(places)) == count
    assert len({x for x, _ in places}) == columns
    assert len({y for _, y in places}) == -(-count // columns)
    for words in ("rose", "fell", "median candle", "9 of 10 highs below, 9 of 10 lows above"):
        assert texts(root).count(words) == (count if count < 3 else 1)
    for one, (x, y) in zip(charts, places, strict=True):
        (inner,) = one.iter(f"{SVG}svg")
        assert x + float(inner.get("width", 0)) <= float(root.get("width", 0))
        assert y + float(inner.get("height", 0)) <= float(root.get("height", 0))


def test_a_long_ticker_is_cut_in_a_small_chart_and_whole_in_a_large_one() -> None:
    long = made("ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345", scale=150.0)
    assert f"{long.ticker}: 11,881 USD on 2010-10-08" in texts(ET.fromstring(standalone([long])))
    grid = ET.fromstring(standalone([long, made("BBB"), made("CCC")]))
    assert "ABCDEFGHI…: 11,881 USD on 2010-10-08" in texts(grid)
    assert next(grid.iter(f"{SVG}title")).text == f"{long.ticker}: 11,881 USD on 2010-10-08", "its tooltip is whole"


@pytest.mark.parametrize("count", [1, 9])
def test_a_page_and_an_svg_file_have_the_same_texts(count: int) -> None:
    forecasts = [with_paths(made(f"T{place}", warnings=(f"T{place} ends early.",))) for place in range(count)]
    html = page(forecasts)
    root = ET.fromstring(standalone(forecasts))
    drawn = (
        [text for one in root.iter(f"{SVG}svg") if one is not root for text in texts(one)] if count > 1 else texts(root)
    )
    assert len(drawn) >= 12 * count
    said = {unescape(text).strip() for text in re.findall(r">([^<]+)<", html)}
    titles = {title for fan in map(fan_of, forecasts) for title in (fan.title, fan.title_within(70))}
    missing = {text for text in drawn if not text.isdecimal()} - said  # a chart without a legend has more ticks
    run = f"Run first. {fan_of(forecasts[0]).caveat}"
    assert missing <= {*titles, run}, "in the page answer and run stand above the chart"
    assert run in texts(root)
    assert fan_of(forecasts[0]).caveat in said


def test_an_svg_file_stands_alone_with_the_verdict_and_the_notes() -> None:
    root = ET.fromstring(standalone([made("AAA", warnings=("AAA has only 61 candles.",)), made("BBB")]))
    assert root.tag == f"{SVG}svg"
    said = " ".join(texts(root))
    assert all(
        text in said
        for text in ("AAA 79.21; by 15 October 75.88–82.69", "BBB 79.21; ", "No evidence of skill.", "only 61 candles")
    )
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")


@pytest.mark.parametrize("count", [1, 2, 9, 50])
def test_a_page_asks_for_nothing_and_runs_no_script_but_its_own(count: int) -> None:
    html = page([made(f"T{place}") for place in range(count)])
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/2000/svg", "", html)
    assert html.count("<script") == (2 if count < 9 else 0), "the numbers, and what draws them"
    assert ("script-src" in html) == (count < 9)
    assert "url(" not in html
    assert not {"transition", "animation", "@keyframes"} & set(re.findall(r"[@\w-]+", html)), "nothing moves by itself"
    assert "default-src &#39;none&#39;" in html
    assert "unsafe" not in html
    assert html.count("<section") == html.count("<details><summary>T") == count


@pytest.mark.parametrize("count", [1, 9])
def test_words_of_others_are_text_and_nothing_else(count: int) -> None:
    forecasts = [made(EVIL, currency=EVIL, warnings=(f"{EVIL} is odd.",)) for _ in range(count)]
    for drawn in (page(forecasts), standalone(forecasts)):
        assert "<script>alert" not in drawn
        assert "&lt;script&gt;alert(1)" in drawn


def test_a_page_of_many_says_what_all_should_know_once() -> None:
    html = page([made(f"T{place}", warnings=(f"T{place}'s candles end.",)) for place in range(9)])
    assert html.count("T0&#39;s candles end. The same holds for T1, T2, T3, T4, T5 and 3 more.") == 1


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize(("count", "words"), [(1, "1 path of closes"), (200, "50 of 200 paths of closes")])
def test_paths_are_drawn_from_the_last_close_and_the_legend_says_how_many(width: int, count: int, words: str) -> None:
    forecast = with_paths(made(steps=(1, 2, 3, 4, 5, 20)), count)
    root = ET.fromstring(chart(forecast, width))
    assert words in texts(root)
    lines = next(
        path.get("d", "") for path in root.iter("path") if path.get("class") == "path" and len(path.get("d", "")) > 40
    )
    assert lines.count("M") == min(count, 50)
    starts = {point for part in lines.split("M")[1:] for point in numbers(f"M{part}")[:1]}
    assert len(starts) == 1, "the last close"
    assert len(numbers(lines)) == 6 * min(count, 50), "the five steps that are contiguous"


@pytest.mark.parametrize(
    ("name", "tickers", "says"),
    [
        ("x.gif", 1, r"ends in \.gif: expected \.html, \.png or \.svg"),
        ("x", 1, "ends in nothing: expected"),
        ("folder.html", 1, "is a folder: name a file in it"),
        ("x.png", 41, r"would hold 41 tickers, but \.png shows 40 at most: take \.html"),
    ],
)
def test_what_cannot_become_a_picture_is_refused(tmp_path: Path, name: str, tickers: int, says: str) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(InputError, match=says):
        check_plot(tmp_path / name, tickers)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_a_folder_that_is_not_there_is_made_as_for_output(tmp_path: Path) -> None:
    picture = tmp_path / "none" / "deep" / "x.svg"
    check_plot(picture, 1)
    assert not picture.parent.exists(), "nothing is made before there is something to write"
    write_plot(picture, [made()])
    assert picture.read_text().startswith("<svg")


def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(OutsideError, match=r"/proc/x\.html cannot be written"):
        check_plot(Path("/proc/x.html"), 1)


@pytest.fixture
def predict(say: Callable[..., Answer], store: Path, trained: TrainedRun) -> Callable[..., Answer]:
    return lambda *more: say("predict", *more, "--run", trained.folder, "--data-dir", store)


@pytest.mark.parametrize("ending", ["html", "svg", "png"])
def test_predict_writes_the_picture_beside_the_table(
    predict: Callable[..., Answer], tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"aapl.{ending}"
    answer = predict("AAPL", "MSFT", "--plot", file)
    assert answer.code == 0
    assert "AAPL after 2013-03-01" in answer.out
    assert f"Picture: {file}" in answer.err
    assert file.stat().st_size > 10_000
    assert list(tmp_path.iterdir()) == [file]


def test_predict_draws_every_picture_that_is_asked_for(predict: Callable[..., Answer], tmp_path: Path) -> None:
    files = [tmp_path / "a.html", tmp_path / "b.svg", tmp_path / "c.png"]
    answer = predict("AAPL", *(word for file in [*files, files[0]] for word in ("--plot", file)))
    assert answer.code == 0
    assert sorted(tmp_path.iterdir()) == files
    assert [line for line in answer.err.splitlines() if "Picture" in line] == [f"Picture: {file}" for file in files]
    refused = predict("AAPL", "--plot", tmp_path / "d.html", "--plot", tmp_path / "e.gif")
    assert refused.code == 2
    assert sorted(tmp_path.iterdir()) == files, "nothing is drawn where one of them cannot be"


def test_predict_refuses_before_it_looks_for_the_run(say: Callable[..., Answer], tmp_path: Path) -> None:
    answer = say("predict", "AAPL", "--run", "nowhere", "--plot", tmp_path / "x.gif")
    assert (answer.code, answer.out) == (2, "")
    assert "expected .html, .png or .svg" in answer.err


def test_no_picture_is_left_of_tickers_that_could_not_be_forecast(
    predict: Callable[..., Answer], tmp_path: Path
) -> None:
    assert predict("APPL", "--offline", "--plot", tmp_path / "x.html").code == 2
    assert list(tmp_path.iterdir()) == []
