"""A search through the real command: kept whatever happens, blind to the test, and its YAML trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.data.store import Store
from forecaster.evaluation.ledgerfile import NAME
from forecaster.runs.config import load_config
from forecaster.runs.run import Run
from forecaster.workflows.train import train
from forecaster.workflows.tune import tune
from tests.marks import needs_linux
from tests.studio import Answer, command, environment, eventually, hear_interrupts

pytest_plugins = ("tests.studio_fixtures",)

CONFIG = """
data:
  tickers: [AAPL, IBM]
  split: {train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}
model: {name: gru, hidden_size: 4}
task: {horizon: 2, context: 20}
features: [base, vol]
training: {steps: 3, warmup: 1, batch: 4, learning_rate: 1e-2, device: cpu}
tune:
  trials: 6
  pruner: none
  space:
    training.learning_rate: {low: 1e-4, high: 1e-1, log: true}
    model.hidden_size: [2, 4]
    features: [[base, vol], [base]]
"""

GRID = "tune.space={model.hidden_size: [2, 4], training.clip: [0.1, 1.0]}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(CONFIG)
    return path


def trials(result: Any) -> list[dict[str, Any]]:
    """What each trial gave, whatever its number."""
    found: list[dict[str, Any]] = result.as_data()["trials"]
    return [{key: one[key] for key in ("state", "skill", "values", "step")} for one in found]


def test_the_best_config_trains_as_it_is_to_the_validation_skill_that_was_found(
    config: Path, store: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    places = ("--data-dir", store, "--runs-dir", tmp_path / "runs")
    output, plot = tmp_path / "best.yaml", tmp_path / "search.svg"
    answer = say(
        "tune", config, *places, "--workers", 1, "-o", output, "--plot", plot, "--trials", 12, "--format", "json"
    )
    assert answer.code == 0, answer.err
    assert not (store / NAME).exists(), "trials are no looks"
    data = json.loads(answer.out)
    best = data["trials"][data["best"]]
    assert best["skill"] == max(one["skill"] for one in data["trials"])
    assert [one["own"] for one in data["trials"]] == [True] + [False] * 11
    assert data["trials"][0]["values"] == {
        "training.learning_rate": 0.01, "model.hidden_size": 4, "features": ["base", "vol"]
    }  # fmt: skip
    assert set(data["importance"]) == set(best["values"])
    assert data["worth"]["text"] in " ".join(output.read_text().replace("\n#", "").split())
    assert "the best of 12 trials" in output.read_text()
    assert plot.read_text().startswith("<svg")
    learnt = load_config(output)
    assert learnt.training.learning_rate == best["values"]["training.learning_rate"]
    assert learnt.tune is not None
    assert learnt.tune.found == 12
    answer = say("train", output, *places, "--name", "tuned")
    assert answer.code == 0, answer.err
    assert "The config is the best of 12 trials by validation; none of them has seen the test." in answer.out
    run = Run.find(tmp_path / "runs", "tuned")
    assert run.config.tune == learnt.tune, "their number stays with the run"
    curve = (run.folder / "curve.csv").read_text().splitlines()[-1]
    assert float(curve.split(",")[-1]) == pytest.approx(best["skill"], abs=1e-9)


def test_a_trial_stops_early_and_never_learns_from_validation_though_the_config_refits(
    config: Path, store: Path, tmp_path: Path
) -> None:
    where = {"data_dir": store, "workers": 1, "trials": 3}
    plain = tune(config, runs_dir=tmp_path / "a", output=tmp_path / "a.yaml", **where)  # type: ignore[arg-type]
    refit = ("training.refit=true",)
    again = tune(config, settings=refit, runs_dir=tmp_path / "b", output=tmp_path / "b.yaml", **where)  # type: ignore[arg-type]
    assert trials(plain) == trials(again)
    assert load_config(tmp_path / "b.yaml").training.refit
    assert "training.refit: false" in (tmp_path / "b.yaml").read_text()


def test_the_features_of_the_config_need_not_be_among_those_tried(config: Path, store: Path, tmp_path: Path) -> None:
    settings = ("features=[vol]", "tune.space={features: [[base], [base, volume]]}", "tune.trials=2")
    places = {"data_dir": store, "runs_dir": tmp_path / "runs", "output": tmp_path / "tuned.yaml"}
    found = tune(config, settings=settings, workers=1, **places)
    assert len(trials(found)) == 2


def test_no_candle_after_validation_changes_a_trial(
    config: Path, store: Path, sample_store: Store, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for ticker in ("AAPL", "IBM"):
        bars = sample_store.read(ticker)
        later = bars.dates > np.datetime64("2010-06-30")
        factor = np.where(later, np.exp(rng.normal(0.5, 1.0, len(bars))), 1.0)
        prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
        volume = np.where(later, 7.0, bars.volume)
        adjusted = np.where(later, bars.adj_close * factor * 0.5, bars.adj_close)
        sample_store.write(replace(bars, **prices, volume=volume, adj_close=adjusted), source="sample", force=True)
        assert not np.array_equal(sample_store.read(ticker).close, bars.close)
    settings = ("features=[base, vol, volume, market]", "tune.space={training.seed: [0, 1], task.context: [10, 300]}")
    found = []
    for name, place in (("as it was", store), ("changed", sample_store.root)):
        where = {"data_dir": place, "runs_dir": tmp_path / name, "output": tmp_path / f"{name}.yaml"}
        found.append(tune(config, settings=settings, workers=1, **where))  # type: ignore[arg-type]
    assert trials(found[0]) == trials(found[1])
    assert found[0].as_data()["worth"] == found[1].as_data()["worth"]
    assert len({one["skill"] for one in trials(found[0])}) > 1


def test_an_interrupted_search_of_one_worker_gives_what_an_uninterrupted_one_gives(
    config: Path, store: Path, tmp_path: Path
) -> None:
    settings = ("training.steps=60", "tune.trials=3")

    def search(name: str, **more: Any) -> Any:
        place = tmp_path / name
        return tune(
            config, settings=settings, data_dir=store, runs_dir=place, output=place / "x.yaml", workers=1, **more
        )

    def interrupt(done: float, *_: object) -> None:
        if done > 1.9:  # after the checkpoint at step 50 of the second trial
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search("cut", on_trials=interrupt)
    shares: list[float] = []
    result = search("cut", on_trials=lambda done, *_: shares.append(done))
    assert trials(result) == trials(search("whole"))
    assert min(shares) > 1.8, "the second trial goes on from its checkpoint"
    assert [one.number for one in result.found.trials] == [0, 2, 3], "the interrupted trial failed"


def test_two_workers_find_for_the_same_values_what_one_finds(config: Path, store: Path, tmp_path: Path) -> None:
    def search(workers: int) -> Mapping[str, Any]:
        place = tmp_path / str(workers)
        where = {"data_dir": store, "runs_dir": place, "output": place / "x.yaml"}
        result = tune(config, settings=(GRID,), trials=16, workers=workers, **where)  # type: ignore[arg-type]
        assert len(result.found.trials) == 16
        logs = sorted(path.name for path in result.study.glob("worker-*.log"))
        assert logs == (["worker-0.log", "worker-1.log"] if workers == 2 else [])
        assert not list(result.study.glob("candles-*"))
        trained = [one for one in result.found.trials if one.same is None]
        assert len(trained) <= 4 + (workers - 1) * 4, "values that were tried are not trained again"
        return {str(one.values): one.skill for one in result.found.trials}

    one, two = search(1), search(2)
    assert len(set(one) & set(two)) >= 2
    assert {key: two[key] for key in set(one) & set(two)} == {key: one[key] for key in set(one) & set(two)}


def test_a_finished_search_goes_on_with_more_trials_and_else_only_reports(
    config: Path, store: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    places = ("--data-dir", store, "--runs-dir", tmp_path / "runs", "-o", tmp_path / "x.yaml", "--workers", 1)
    first = json.loads(say("tune", config, *places, "--trials", 2, "--format", "json").out)
    answer = say("tune", config, *places, "--trials", 4, "--format", "json")
    assert "4 trials, 2 are finished already, 1 at a time" in " ".join(answer.err.split())
    assert json.loads(answer.out)["trials"][:2] == first["trials"]
    answer = say("tune", config, *places, "--trials", 3)
    assert "4 trials are finished already" in answer.err
    assert "no trial has seen the test" in answer.out


def begun(config: Path, store: Path, runs: Path, workers: int = 2, trials: int = 30) -> subprocess.Popen[str]:
    """A search in a process group of its own."""
    counts = ("--trials", str(trials), "--workers", str(workers))
    arguments = ("--data-dir", str(store), "--runs-dir", str(runs), *counts)
    return subprocess.Popen(
        command("tune", str(config), *arguments, "--format", "json", "--output", str(runs.parent / "tuned.yaml")),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )


def ended(runs: Path) -> dict[int, list[float] | None]:
    """Trials that the journal says are finished, by their number; for the journal as a killed process left it."""
    found: dict[int, list[float] | None] = {}
    for journal in runs.glob(".tune-*/journal.log"):
        for line in journal.read_bytes().splitlines(keepends=True):
            entry = json.loads(line) if line.endswith(b"\n") else {}
            if entry.get("op_code") == 6 and entry["state"] in (1, 2):
                found[entry["trial_id"]] = entry["values"]
    return found


def locked(runs: Path) -> bool:
    """Takes Optuna's lock of the journal, and never gives it back; False while a worker has it."""
    (journal,) = runs.glob(".tune-*/journal.log")
    try:
        journal.with_name("journal.log.lock").symlink_to(journal)
    except FileExistsError:
        return False
    return True


def children(of: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(of)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


@pytest.mark.skipif(not Path("/usr/bin/pgrep").exists(), reason="needs pgrep to find a process's children")
@pytest.mark.parametrize(("end", "trials"), [(signal.SIGKILL, 30), (signal.SIGTERM, 14)])
def test_trials_outlive_a_kill_and_what_they_find_trains(
    config: Path, store: Path, tmp_path: Path, end: signal.Signals, trials: int
) -> None:
    runs = tmp_path / "runs"
    process = begun(config, store, runs, trials=trials)
    assert eventually(lambda: len(ended(runs)) >= 4 or process.poll() is not None)
    workers = children(process.pid)
    assert len(workers) == 2, process.communicate()
    if end == signal.SIGTERM:
        assert eventually(lambda: locked(runs)), "a worker ends while it holds the journal"
    os.killpg(process.pid, end)
    _, err = process.communicate()
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    if end == signal.SIGTERM:
        assert process.returncode == 130
        assert "interrupted; what was finished is kept" in err
    kept = ended(runs)
    assert 4 <= len(kept) < trials
    out, err = begun(config, store, runs, trials=trials).communicate()
    assert f"{trials} trials, {len(kept)} are finished already, 2 at a time" in " ".join(err.split()), err
    assert end == signal.SIGKILL or "waiting for the lock" not in err
    data = json.loads(out)
    assert len(data["trials"]) == trials
    skills = {one["number"]: [one["skill"]] for one in data["trials"]}
    assert {number: skills[number] for number in kept} == kept, "none is lost, none changed"
    run = train(tmp_path / "tuned.yaml", data_dir=store, runs_dir=runs, name="tuned")
    assert f"best of {trials} trials" in " ".join(run.scorecard.notes)


@needs_linux
def test_a_disk_that_fills_up_loses_no_finished_trial(config: Path, store: Path, tmp_path: Path) -> None:
    import resource

    runs = tmp_path / "runs"
    process = begun(config, store, runs, workers=1, trials=10)
    assert eventually(lambda: len(ended(runs)) >= 2 or process.poll() is not None)
    (journal,) = runs.glob(".tune-*/journal.log")
    limit = journal.stat().st_size + 40
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    out, err = process.communicate()
    assert (process.returncode, out) == (4, "")
    (said,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "cannot be written: File too large" in err
    assert "Traceback" not in err, said
    kept = ended(runs)
    assert 2 <= len(kept) < 10
    out, err = begun(config, store, runs, trials=10).communicate()
    assert "waiting for the lock" not in err
    skills = {one["number"]: [one["skill"]] for one in json.loads(out)["trials"]}
    assert {number: skills[number] for number in kept} == kept
    assert len(skills) == 10


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--plot", "search.png"), "--plot search.png ends in .png: expected .svg."),
        (("--set", "tune=null"), "names nothing to search: add a section such as `tune: {space:"),
        (("--set", "tune.pruner=medain"), "tune.pruner is 'medain': expected 'median', 'hyperband' or 'none'."),
        (("--trials", "0"), "Invalid value for '--trials'"),
        (("--timeout", "0.001"), "no trial was finished within 0.001 seconds: run the same command again"),
        (("--output", "{config}"), "is the config itself: name another file."),
        (("--output", "{other}"), "exists and is not of this search: name another file with --output, or move it."),
        (
            ("--set", "tune.space={training.learning_rate: [1e30, 1e29]}", "--set", "training.clip=1e30",
             "--set", "training.steps=60", "--trials", "2", "--workers", "1"),
            "no trial could be trained, 2 were tried; the first: training.learning_rate: the",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    config: Path, store: Path, tmp_path: Path, say: Callable[..., Answer], more: tuple[str, ...], expected: str
) -> None:
    (other := tmp_path / "other.yaml").write_text("model: {name: gru}\n")
    more = tuple(text.format(config=config, other=other) if text[0] == "{" else text for text in more)
    answer = say(
        *("tune", config, "--data-dir", store, "--runs-dir", tmp_path / "runs"),
        *(more if "--output" in more else (*more, "--output", tmp_path / "x.yaml")),
    )
    assert answer.code == 2
    assert answer.out == ""
    (line,) = [line for line in answer.err.splitlines() if not line.startswith(("· ", "  "))]
    assert expected in " ".join(answer.err.partition("error: ")[2].split())
    assert line.startswith("error: ")
    assert other.read_text() == "model: {name: gru}\n"
    assert config.read_text() == CONFIG
    assert not (tmp_path / "x.yaml").exists()


def test_without_optuna_one_line_says_what_to_install_and_all_else_works(
    config: Path, store: Path, tmp_path: Path
) -> None:
    blocked = "import sys; sys.modules['optuna'] = None; from forecaster import cli; sys.exit(cli.run(sys.argv[1:]))"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        places = ("--data-dir", str(store), "--runs-dir", str(tmp_path / "runs"))
        line = [sys.executable, "-c", blocked, *words, str(config), *places]
        return subprocess.run(line, env=environment(), capture_output=True, text=True, check=False)

    done = run("tune")
    assert (done.returncode, done.stdout) == (2, "")
    assert " ".join(done.stderr.split()) == (
        "error: forecast tune needs Optuna, which is not installed: pip install 'stock-forecaster[tune]'."
    )
    assert run("train").returncode == 0
