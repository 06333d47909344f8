"""The benchmark against other libraries, in what needs none of them: its judge, its table, its pins."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "peers"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import one of the benchmark's files, as they import each other."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = [path.stem for path in FOLDER.glob("*.py")]

    def imported(name: str) -> ModuleType:
        for other in names:
            monkeypatch.delitem(sys.modules, other, raising=False)
        return importlib.import_module(name)

    yield imported
    for name in names:
        sys.modules.pop(name, None)


def work(module: Any, lengths: tuple[int, ...] = (200, 150, 40)) -> Any:
    random = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    closes = np.concatenate([100 * np.exp(np.cumsum(random.normal(0, 0.02, length))) for length in lengths])
    return module("work").Work(
        tickers=np.array(["AAA", "BBB", "CCC"][: len(lengths)]),
        offsets=offsets,
        dates=np.concatenate([np.busday_offset("2020-01-02", np.arange(length)) for length in lengths]),
        closes=closes,
        learnt=np.minimum(lengths, 100),
        origins=np.array([120, 150, 320]),
    )


def test_the_judge_gives_the_random_walk_no_skill_and_a_better_forecast_some(module: Any) -> None:
    judge = module("judge")
    random = np.random.default_rng(0)
    outcomes = random.normal(0, 0.03, 5_000)
    true = np.tile(np.quantile(outcomes, judge.LEVELS), (5_000, 1))
    cells = judge.Cells(outcomes=outcomes, reference=2 * true)
    assert cells.judge(2 * true).skill == 0
    assert cells.judge(true).skill > 0.05
    assert cells.judge(3 * true).skill < 0


def test_the_judge_measures_the_median_against_the_last_close(module: Any) -> None:
    judge = module("judge")
    outcomes = np.array([0.02, -0.01, 0.03])
    still = np.zeros((3, len(judge.LEVELS)))
    cells = judge.Cells(outcomes=outcomes, reference=still)
    assert cells.judge(still).mae == 1
    assert cells.judge(np.repeat(outcomes[:, None], len(judge.LEVELS), axis=1)).mae == 0
    assert cells.judge(np.repeat(-outcomes[:, None], len(judge.LEVELS), axis=1)).mae == pytest.approx(2)


def test_the_judge_refuses_a_forecast_of_other_cells_or_of_none(module: Any) -> None:
    judge = module("judge")
    cells = judge.Cells(outcomes=np.zeros(3), reference=np.zeros((3, len(judge.LEVELS))))
    for forecast in (np.zeros((2, len(judge.LEVELS))), np.full((3, len(judge.LEVELS)), np.nan)):
        with pytest.raises(ValueError, match="finite quantiles"):
            cells.judge(forecast)


def test_the_cheapest_training_that_reached_a_skill_counts(module: Any) -> None:
    judge = module("judge")
    verdicts = [judge.Verdict(1.0, skill) for skill in (-0.1, 0.011, 0.005, 0.02)]
    assert judge.seconds_to(0.01, verdicts, [1.0, 4.0, 2.0, 3.0]) == 3.0
    assert judge.seconds_to(0.0, verdicts, [1.0, 4.0, 2.0, 3.0]) == 2.0
    assert judge.seconds_to(0.03, verdicts, [1.0, 4.0, 2.0, 3.0]) is None


@pytest.mark.parametrize("form", ["prices", "moves", "returns"])
def test_a_perfect_forecast_in_any_form_is_the_move_that_came(module: Any, form: str) -> None:
    one, horizon = work(module), 5
    values, logs = one.series(form), np.log(one.closes)
    if form == "returns":
        told = np.stack([values[origin + 1 : origin + 1 + horizon].sum() for origin in one.origins])
    else:
        told = values[one.origins + horizon]
    found = one.moves(told[:, None], form)[:, 0]
    np.testing.assert_allclose(found, logs[one.origins + horizon] - logs[one.origins], rtol=1e-9)


@pytest.mark.parametrize("form", ["prices", "moves", "returns"])
def test_nothing_after_the_end_of_training_reaches_it(module: Any, form: str) -> None:
    one = work(module)
    before = one.training(form)
    for rows, learnt in zip(one.rows, one.learnt, strict=True):
        one.closes[rows][learnt:] *= 2
    after = one.training(form)
    assert len(before) == 2  # the third ticker has too few rows to learn from
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
    assert not np.isnan(np.concatenate(after)).any()


def test_a_window_ends_at_its_origin_and_is_whole(module: Any) -> None:
    one = work(module)
    windows = one.windows("moves")
    assert windows.shape == (3, 60)
    assert not np.isnan(windows).any()
    np.testing.assert_allclose(windows[:, -1], one.series("moves")[one.origins], rtol=1e-6)


def test_work_and_cells_come_back_from_their_files(module: Any, tmp_path: Path) -> None:
    one = work(module)
    one.save(tmp_path / "work.npz")
    again = type(one).load(tmp_path / "work.npz")
    assert again.tickers.tolist() == one.tickers.tolist()
    assert np.array_equal(again.closes, one.closes)


def test_the_meter_counts_steps_until_the_time_is_up_and_leaves_the_warm_ones_out(module: Any) -> None:
    found = module("work")
    meter = found.Meter(budget=0.0, most=100)
    steps = 1
    while not meter.step():
        steps += 1
    assert steps == 2 * found.WARM
    meter.marks = [0.0] * found.WARM + [float(second) for second in range(found.WARM + 1)]
    assert meter.windows_per_second == found.BATCH


def results() -> dict[str, Any]:
    curve = {"best": {"mae": 1.0, "skill": 0.004}, "seconds_to": {"0.00": 10.0, "0.01": None}, "tried_s": 60.0}
    ours = {"best": {"mae": 0.99, "skill": 0.02}, "seconds_to": {"0.00": 1.0, "0.01": 3.0}, "tried_s": 30.0}
    return {
        "darts": {"windows": {"lstm": 4000.0}, "skill": {"closes": curve}, "cold_s": 5.0, "versions": {"darts": "1.2"}},
        "gluonts": {"windows": {"lstm": 2000.0}, "skill": {"closes": curve}, "cold_s": 6.0},
        "neuralforecast": {"broken": "neuralforecast: no wheel for this Python"},
        "forecaster": {"windows": {"lstm": 6000.0}, "skill": {"closes": ours, "shipped": ours}, "cold_s": 0.5},
    }


def rows(table: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    return {cells[0]: cells[1:] for cells in lines}


def test_the_table_compares_ours_with_the_best_peer_and_says_who_never_got_there(module: Any) -> None:
    table = module("table").render(results())
    found = rows(table)
    assert found["windows a second, LSTM"] == ["–", "4,000", "–", "2,000", "6,000", "–", "1.50 ×"]
    assert found["CPU-s of training to 0% skill"] == ["–", "10.0", "–", "10.0", "1.0", "1.0", "0.10 ×"]
    reached = found["CPU-s of training to 1% skill"]
    assert reached[:-1] == ["–", "> 60", "–", "> 60", "3.0", "3.0"]
    assert reached[-1] == "< 0.05 ×: no peer got there"
    assert found["cold process to a forecast, CPU-s"][-1] == "0.10 ×"
    assert "neuralforecast: no wheel for this Python" in table
    assert "darts 1.2" in table


def test_a_ratio_too_small_for_two_digits_is_not_told_as_nothing(module: Any) -> None:
    figures = results()
    figures["forecaster"]["skill"]["closes"]["seconds_to"]["0.00"] = 0.01
    assert rows(module("table").render(figures))["CPU-s of training to 0% skill"][-1] == "< 0.01 ×"


def test_a_table_of_nothing_is_dashes(module: Any) -> None:
    found = rows(module("table").render({}))
    assert {cell for cells in found.values() for cell in cells} == {"–"}


def test_the_readme_takes_a_table_again_and_again_and_keeps_all_else(module: Any) -> None:
    run = module("run")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    empty = "first\n" + "\n".join(run.MARKS) + "\nlast\n"
    once = run.told(empty, "| a |")
    assert once == "first\n<!-- table -->\n| a |\n<!-- end -->\nlast\n"
    assert run.told(run.told(empty, "| b |"), "| a |") == once
    assert run.told(readme, "| a |").endswith(readme.partition(run.MARKS[1])[2])
    assert "## Limits" in run.told(readme, "| a |")
    with pytest.raises(ValueError, match="marks"):
        run.told("no mark", "| a |")


def test_every_pin_names_one_version_of_a_library_that_has_its_script(module: Any) -> None:
    environments = module("environments")
    found = environments.pins((FOLDER / "pins.txt").read_text(encoding="utf-8"))
    assert list(found) == ["neuralforecast", "darts", "pytorch-forecasting", "gluonts"]
    for name in (*found, "forecaster"):
        assert environments.Environment(name, Path()).script.is_file()


@pytest.mark.parametrize("line", ["darts", "darts>=0.40", "darts==0.48.1 --no-deps", "--index-url=x"])
def test_a_pin_that_leaves_the_version_open_is_refused(module: Any, line: str) -> None:
    with pytest.raises(ValueError, match="expected NAME==VERSION"):
        module("environments").pins(line)


def test_a_process_that_fails_is_told_with_its_last_line(module: Any, tmp_path: Path) -> None:
    environments = module("environments")
    one = environments.Environment("darts", tmp_path)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    one.python.symlink_to(sys.executable)
    took = one.run("-c", "print('well')")
    assert took.cpu > 0
    assert one.said() == "well\n"
    with pytest.raises(environments.BrokenError, match="darts: no such network"):
        one.run("-c", "raise SystemExit('no such network')")
