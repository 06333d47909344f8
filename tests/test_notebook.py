"""Results as a notebook shows them: one-line reprs, HTML that stands alone, and pictures that can be saved."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import forecaster
from forecaster.display import Displayable
from forecaster.errors import InputError, OutsideError
from forecaster.show.report.page import render
from forecaster.show.sheet import standalone
from forecaster.workflows.train import TrainedRun
from tests.forecasts import made
from tests.studio import environment, panel

pytest_plugins = ("tests.studio_fixtures",)

EVIL = "<script>alert(1)</script>"


def texts(html: str) -> list[str]:
    """Every text of well-formed HTML."""
    return [text for text in ET.fromstring(html).itertext() if text.strip()]


@pytest.fixture
def results(store: Path, trained: TrainedRun) -> dict[str, Displayable]:
    where = {"data_dir": store, "runs_dir": trained.folder.parent}
    run = str(trained.folder)
    return {
        "Forecast": forecaster.predict("AAPL", run=run, **where)[0],
        "Panel": forecaster.load_panel(data_dir=store),
        "TrainedRun": trained,
        "Backtest": forecaster.backtest(run, **where),
        "Report": forecaster.report(run, **where),
    }


def test_each_result_is_one_line_and_html(results: dict[str, Displayable]) -> None:
    for name, result in results.items():
        assert type(result).__name__ == name
        line = repr(result)
        assert line.startswith(f"{name}(")
        assert "\n" not in line
        assert len(line) < 180, line
        root = ET.fromstring(result._repr_html_())
        assert root.find(".//table/tbody/tr") is not None
        heads = [len(row) for row in root.iter("tr")]
        assert len(heads) >= 2
    assert "3 tickers" in repr(results["TrainedRun"])


def test_scored_results_begin_with_the_verdict(results: dict[str, Displayable], trained: TrainedRun) -> None:
    for name in ("TrainedRun", "Backtest", "Report"):
        assert "No evidence of skill" in repr(results[name])
        said = " ".join(texts(results[name]._repr_html_()))
        assert all(line in said for line in trained.verdict.lines[1:])
        assert said.index("No evidence of skill") < said.index(trained.verdict.lines[1])


def test_a_forecast_says_band_verdict_and_warnings() -> None:
    one = made("AAA", warnings=("AAA has only 61 candles.",))
    low, high = (one.prices[-1, 3, one.levels.index(level)] for level in (0.1, 0.9))
    assert repr(one) == (
        f"Forecast(AAA after {one.origin}, close {one.last_close:.6g} USD; by {one.dates[-1]} {one.point[-1, 3]:.6g}, "
        f"80% band {low:.6g} to {high:.6g}; run first)"
    )
    said = texts(one._repr_html_())
    assert f"{one.point[0, 3]:.2f}" in said
    assert f"{low:.2f} – {high:.2f}" in said
    assert "Run first. No evidence of skill." in said
    assert said[-1] == "AAA has only 61 candles."
    assert "band" not in repr(made(levels=(0.5,)))


def test_a_panel_of_many_names_twenty() -> None:
    said = texts(panel(*[60] * 23)._repr_html_())
    assert "T19" in said
    assert "T20" not in said
    assert said[-1] == "and 3 more"


def test_words_of_others_are_text_and_nothing_else() -> None:
    for html in (made(EVIL, warnings=(EVIL,))._repr_html_(), made(EVIL).plot().svg):
        assert "<script" not in html
        assert EVIL in " ".join(texts(html))


def test_a_plot_is_the_commands_svg_and_is_saved_in_its_formats(tmp_path: Path) -> None:
    one = made()
    picture = one.plot()
    assert picture.svg == picture._repr_svg_() == standalone([one])  # type: ignore[attr-defined]
    assert picture.save(tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg
    assert picture.save(str(tmp_path / "deep" / "a.png")).read_bytes().startswith(b"\x89PNG")
    assert picture.save(tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(repr(picture)) < 90


def test_a_plot_that_cannot_be_saved_is_refused_in_pythons_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^\S+a\.gif ends in \.gif: expected \.html, \.png or \.svg\.$"):
        made().plot().save(tmp_path / "a.gif")
    with pytest.raises(OutsideError, match=r"/proc/a\.svg cannot be written"):
        made().plot().save("/proc/a.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_reports_page_is_the_commands(results: dict[str, Displayable]) -> None:
    report = results["Report"]
    assert report.to_html() == render(report)  # type: ignore[attr-defined, arg-type]


def test_results_of_inner_modules_are_shown_though_the_api_was_not_touched() -> None:
    script = (
        "from forecaster.workflows.data import load_panel\nfrom tests.studio import panel\n"
        "import sys; assert 'forecaster.show' not in sys.modules\n"
        "print(panel(70)._repr_html_()[:12])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "<div><p><b>P\n"
