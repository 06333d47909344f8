"""The page of a report as text: whole, escaped, and with nothing in it that could reach the network."""

from __future__ import annotations

import base64
import json
import re
from copy import copy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.config.schema import ModelConfig
from forecaster.evaluation.diagnose import Grouped
from forecaster.evaluation.diagnostics import Echo
from forecaster.show.report import words
from forecaster.show.report.page import render
from forecaster.show.report.payload import as_script, payload
from forecaster.workflows.report import Report, report
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK
from tests.test_report import crafted

pytest_plugins = ("tests.studio_fixtures",)

HOSTILE = "</script><img src=x onerror=alert(1)><!--'\"&"
VOID = {"meta", "link", "input", "img", "path", "rect", "circle"}


class Page(HTMLParser):
    """Elements in order, and those that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@pytest.fixture(scope="module")
def found(trained: TrainedRun, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report(str(trained.folder), data_dir=store, runs_dir=tmp_path_factory.mktemp("looks"))


@pytest.fixture(scope="module")
def html(found: Report) -> str:
    return render(found)


def test_every_element_is_closed_and_the_verdict_comes_first(html: str, found: Report) -> None:
    page = Page(html)
    assert page.open == []
    assert page.text.index(words.headline(found.card)) < page.text.index("Skill against the baselines")
    assert words.verdict(found.card) in page.text
    assert page.count("h1") == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("skill", "Its ranges beat every simple formula in the test."),
        ("no-evidence", "Nothing shows that its ranges beat a simple formula."),
        ("worse", "A simple formula forecasts ranges better than this run."),
        ("a code of a newer version", "What that version says."),
    ],
)
def test_the_title_is_a_sentence(found: Report, code: str, said: str) -> None:
    judged = replace(found.card.verdict, code=code, text="What that version says.")
    card = copy(found.card)
    object.__setattr__(card, "verdict", judged)  # cached: the rows need not be made to fit
    assert words.headline(card) == said
    html = render(replace(found, card=card))
    assert re.search(rf'<h1 class="{code}">{said}</h1>', html)
    assert f"<title>{found.run}: {said}</title>" in html
    assert not set("✓✗") & set(html)


def test_pit_and_origin_are_explained_where_they_stand(html: str) -> None:
    page = Page(html)
    explained = "PIT (probability integral transform): where each outcome fell"
    assert page.text.index(explained) < page.text.index("PIT of the open")
    months, tickers = page.text.index("Skill over time"), page.text.index("Skill by ticker")
    assert "origin, the day of the last close that they know" in page.text[months:tickers]
    assert "Its origins are the days that it was forecast from" in page.text[tickers:]
    assert "origins (a ticker's close that a forecast starts from)" in page.text


def test_every_month_is_named_in_chart_and_table(html: str, found: Report) -> None:
    assert found.diagnosis is not None
    names = found.diagnosis.by_month.names
    section = Page(html.partition('<section id="months" class="whole">')[2].partition("</section>")[0])
    assert len(names) >= 12
    for name in names:
        assert section.texts.count(name) == 2


def test_the_page_says_all_that_was_asked_of_it(html: str, found: Report) -> None:
    page = Page(html)
    for heading in (
        *("Skill against the baselines", "Forecast explorer", "Calibration", "Skill over time", "Skill by ticker"),
        *("How far prices move", "Echo check", "Training", "Data", "Config and versions"),
    ):
        assert heading in page.text
    assert "survivorship" in page.text, "what the scorecard wants the reader to know"
    for told in (found.header.fingerprint, "hidden_size: 8", found.header.versions["torch"], "ewma-random-walk"):
        assert told in page.text
    assert "to 2009-06-30" in page.text
    assert "only model that was tried on this test" in page.text


def test_nothing_in_the_page_points_outside_it(html: str) -> None:
    page = Page(html)
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "url(" not in html
    assert "@import" not in html


def test_every_picture_says_in_words_what_it_shows(html: str) -> None:
    charts = [attributes for tag, attributes in Page(html).elements if attributes.get("class") == "chart"]
    assert len(charts) == 11
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)


def test_each_identifier_is_used_once_and_each_link_leads_somewhere(html: str) -> None:
    elements = Page(html).elements
    names = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(set(names)) == len(names)
    links = [attributes["href"] for tag, attributes in elements if tag == "a"]
    assert links
    assert {str(link).removeprefix("#") for link in links} <= set(names)


def with_header(found: Report, **changes: Any) -> Report:
    """The report of a run whose header says something else."""
    model = found.source.model
    return replace(found, source=replace(found.source, model=replace(model, header=replace(model.header, **changes))))


def test_a_hostile_ticker_and_config_stay_text(trained: TrainedRun, store: Path, tmp_path: Path, found: Report) -> None:
    config = found.header.as_json()["config"]
    config["data"] |= {"exclude": [HOSTILE]}
    changes: dict[str, Any] = {
        "tickers": ["AAPL", HOSTILE],
        "config": config,
        "versions": {HOSTILE: HOSTILE},
        "fingerprint": HOSTILE,
    }
    folder = crafted(trained, tmp_path / "hostile", **changes)
    page = Page(render(report(str(folder), data_dir=store, runs_dir=tmp_path)))
    assert page.open == []
    assert page.count("img") == 0
    assert page.count("script") == 2
    assert page.text.count(HOSTILE) >= 5


def test_a_hostile_name_in_the_explorer_and_the_scorecard_stays_text(found: Report) -> None:
    assert found.diagnosis is not None
    views = tuple(replace(view, ticker=HOSTILE, currency=HOSTILE) for view in found.diagnosis.explorer)
    named = Grouped(**vars(found.diagnosis.by_ticker) | {"names": (HOSTILE,) * 3})
    diagnosis = replace(found.diagnosis, explorer=views, by_ticker=named)
    rows = tuple(replace(row, name=HOSTILE, baseline=HOSTILE) for row in found.card.rows)
    card = replace(found.card, rows=rows, reference=HOSTILE, notes=(HOSTILE,))
    config = found.config.model_copy(update={"model": ModelConfig(name=HOSTILE)})
    text = render(replace(with_header(found, config=config), diagnosis=diagnosis, card=card, notes=(HOSTILE,)))
    page = Page(text)
    assert page.open == []
    assert page.count("img") == 0
    assert page.count("script") == 2
    assert HOSTILE not in text


def test_json_in_a_script_element_reads_back_to_itself() -> None:
    data = {"name": HOSTILE, "more": "<!--<script>\u2028"}
    text = as_script(data)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == data


def test_the_explorers_numbers_read_back_to_a_hundredth_of_a_basis_point(found: Report) -> None:
    assert found.diagnosis is not None
    view = found.diagnosis.explorer[0]
    (packed, *_) = payload(found.diagnosis.explorer, (1, 2, 3), True)["tickers"]

    def numbers(name: str) -> np.ndarray:
        return np.frombuffer(base64.b64decode(packed[name]), "<i2").astype(float)

    candles = packed["base"] * np.exp(numbers("candles") * packed["unit"])
    np.testing.assert_allclose(candles.reshape(-1, 4), view.candles, rtol=1e-5)
    np.testing.assert_allclose(numbers("values").reshape(50, 3, 10) * packed["step"], view.forecasts, atol=2e-6)
    assert np.array_equal(numbers("origins"), view.origins)
    assert np.array_equal(np.datetime64(packed["first"]) + numbers("days").astype(int), view.sessions)


def test_a_page_of_204_tickers_and_six_steps_is_under_six_megabytes(found: Report) -> None:
    assert len(render(many(found)).encode()) < 6_000_000


def many(found: Report, tickers: int = 204, steps: tuple[int, ...] = (1, 2, 3, 4, 5, 20)) -> Report:
    """The report as if the run had so many tickers and these steps; forecasts of the farther ones are repeated."""
    assert found.diagnosis is not None
    names = tuple(f"T{number:03}" for number in range(tickers))
    views = tuple(
        replace(
            found.diagnosis.explorer[number % 3],
            ticker=name,
            forecasts=np.repeat(found.diagnosis.explorer[number % 3].forecasts, 2, axis=1)[:, : len(steps)],
        )
        for number, name in enumerate(names)
    )
    place = np.arange(tickers) % 3
    grouped = found.diagnosis.by_ticker
    assert grouped.held is not None
    by_ticker = Grouped(names, grouped.origins[place], grouped.skill[place], grouped.held[place])
    card = replace(found.diagnosis.card, horizon=steps, tickers=tickers)
    diagnosis = replace(found.diagnosis, explorer=views, by_ticker=by_ticker, card=card)
    return replace(with_header(found, tickers=names), diagnosis=diagnosis)


@pytest.mark.parametrize(
    ("base", "more"),
    [
        ("gru", ("task.head=point", "task.horizon=1")),
        ("gru", ("calibration.rolling=true", "task.horizon=[1, 20]", "data.tickers=[AAPL]")),
        ("n_to_m", ("training.refit=true",)),
    ],
    ids=["point", "calibrated", "window"],
)
def test_other_runs_have_a_page_too(base: str, more: tuple[str, ...], store: Path, tmp_path: Path) -> None:
    settings = (*QUICK, "training.steps=3", *more)
    run = train(base, settings=settings, data_dir=store, runs_dir=tmp_path, name="run")
    found = report("run", data_dir=store, runs_dir=tmp_path)
    page = Page(render(found))
    assert page.open == []
    assert found.card.stored() == run.scorecard.stored()
    assert found.notes == ()
    assert ("claims no range" in page.text) == ("task.head=point" in more)
    assert ("80% of the closes" in page.text) == ("task.head=point" not in more)


def test_a_report_without_a_diagnosis_or_a_curve_says_why(found: Report) -> None:
    page = Page(render(replace(found, diagnosis=None, curves=(), notes=("Why.",))))
    assert page.open == []
    assert "Why." in page.text
    assert "There is no training curve" in page.text
    assert "Forecast explorer" not in page.text
    assert page.count("script") == 0


def test_a_run_of_baselines_says_why_it_has_no_training_curve(store: Path, tmp_path: Path) -> None:
    train("har", settings=QUICK[:2], data_dir=store, runs_dir=tmp_path, name="run")
    page = Page(render(report("run", data_dir=store, runs_dir=tmp_path)))
    assert "This run has no network: its forecasts are computed from the candles" in page.text
    assert "There is no training curve" not in page.text


def test_members_without_a_training_curve_are_named_beside_it() -> None:
    assert words.no_curve(["gru", "lstm"]) == ""
    assert words.no_curve(["gru", "har"]).startswith("Forecasts of har are computed from the candles")


@pytest.mark.parametrize(
    ("misses", "said"),
    [
        ((0.02, 0.01, 0.0, 0.03), "repeats what is known: 2 sessions ahead, the median close lies 0.0 basis points"),
        ((0.02, 0.01, 0.02, 0.001), "the close 1 session before the last one known"),
        ((0.001, 0.01, 0.02, 0.03), "too good: look for a leak"),
        ((0.02, 0.01, 0.02, 0.03), "nearest to the close 1 session before the predicted day"),
    ],
)
def test_the_echo_check_says_which_close_is_nearest(misses: tuple[float, ...], said: str) -> None:
    assert said in words.echo(Echo(2, misses, 0.1))


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((1,), "1 session ahead"),
        ((1, 2), "1 and 2 sessions ahead"),
        ((1, 2, 3, 4, 5), "1 to 5 sessions ahead"),
        ((1, 2, 3, 4, 5, 20), "1, 2, 3, 4, 5 and 20 sessions ahead"),
    ],
)
def test_steps_are_said_in_words(steps: tuple[int, ...], said: str) -> None:
    assert words.ahead(steps) == said


def test_the_policy_allows_no_other_script_than_the_pages_own(html: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; ")
    assert "unsafe" not in policy[1]
