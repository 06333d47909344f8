"""A search's table and picture: the best first, and nothing lies outside."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.errors import InputError
from forecaster.show.screen import console
from forecaster.show.tune import check_picture, search_picture, tuned_view
from forecaster.tuning.findings import Findings, Tried
from forecaster.tuning.worth import Worth
from forecaster.workflows.tune import Tuned

KEYS = {"training.learning_rate": 0.7, "features": 0.3}


def tried(number: int, skill: float | None, state: str = "complete", **more: object) -> Tried:
    values = {"training.learning_rate": 10.0 ** -(number + 1), "features": ("base", "<vol>")}
    return Tried(number, state, skill, values, **more)  # type: ignore[arg-type]


def found(importance: dict[str, float] | None = None) -> Tuned:
    trials = (
        tried(0, 0.01, own=True),
        tried(2, 0.004, "pruned"),
        tried(3, None, "unusable", reason="training.learning_rate: the loss became nan"),
        tried(4, 0.03),
        tried(5, 0.02),
        tried(6, 0.03, same=4),
    )
    worth = Worth(3, 0.02, True, 0.005, 0.03)
    where = (Path("tuned-mine.yaml"), Path("runs/.tune-x"), ("2009-06-30", "2010-06-30"))
    return Tuned("mine & <co>", *where, Findings(trials, importance, worth))


Shown = Callable[..., str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The table as text, so many columns wide."""

    def shown(result: Tuned, width: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        buffer = io.StringIO()
        console(buffer, asked=True, force_terminal=False).print(tuned_view(result).render(), crop=False)
        return buffer.getvalue()

    return shown


def test_the_best_comes_first_then_pruned_and_unusable_trials(shown: Shown) -> None:
    text = shown(found(KEYS))
    rows = [line.split() for line in text.splitlines() if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == ["4", "6", "5", "0", "2", "3"]
    assert rows[0][1] == "+3.00%"
    assert "as trial 4" in text
    assert "as written" in text
    assert "What matters: training.learning_rate 70%, features 30%" in text
    assert "+2.00% ahead of the config as written" in " ".join(text.split())
    assert "expect +1.50% of it to last" in " ".join(text.split())


def test_a_narrow_screen_drops_keys_before_it_breaks_words(shown: Shown) -> None:
    lines = shown(found(), width=50).splitlines()
    assert max(map(len, lines)) <= 50
    assert any("+3.00%" in line for line in lines)


def test_the_long_form_has_a_row_for_each_trial_with_its_values() -> None:
    rows = tuned_view(found()).rows
    assert [row["number"] for row in rows] == [0, 2, 3, 4, 5, 6]
    assert rows[3]["training.learning_rate"] == pytest.approx(1e-5)
    assert rows[3]["features"] == "[base, <vol>]"
    assert rows[2]["reason"].startswith("training.learning_rate")


@pytest.mark.parametrize("importance", [None, KEYS])
def test_the_picture_has_every_trial_and_all_of_it_lies_inside(importance: dict[str, float] | None) -> None:
    root = ET.fromstring(search_picture(found(importance)))
    wide, high = float(root.get("width", 0)), float(root.get("height", 0))
    texts = [one for one in root.iter() if one.tag.endswith("text")]
    assert all(0 <= float(one.get("x", 0)) <= wide and 0 <= float(one.get("y", 0)) <= high for one in texts)
    assert "mine & <co>: validation skill of each trial" in [one.text for one in texts]
    marks = [one for one in root.iter() if one.tag.endswith("path") and "opacity" in one.attrib]
    assert len(marks) == 5 + 2, "an unusable trial has no skill; the legend has two samples"
    bars = [float(one.get("width", 0)) for one in root.iter() if one.tag.endswith("rect")][1:]
    assert bars == sorted(bars, reverse=True)
    assert len(bars) == len(importance or ())


def test_one_trial_makes_a_picture_too(shown: Shown) -> None:
    result = found()
    alone = Tuned("one", result.output, result.study, result.validation, Findings(result.found.trials[:1], None, None))
    assert str(search_picture(alone)).startswith("<svg")
    assert "Too few trials to say what luck is worth." in shown(alone)


def test_another_suffix_is_refused_before_the_search(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.png ends in \.png: expected \.svg\."):
        check_picture(tmp_path / "x.png")
