"""Bad usage and bad input of `train` and `predict`: one line that helps, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.data.store import Store
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, bars, command, environment, settings

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


@pytest.fixture
def train(say: Ask, store: Path, tmp_path: Path) -> Ask:
    quick = settings("training.steps=2")
    places = ("--data-dir", store, "--runs-dir", tmp_path / "runs")
    return lambda config, *more: say("train", config, *quick, *places, *more)


@pytest.fixture
def predict(say: Ask, store: Path, runs_dir: Path, trained: TrainedRun) -> Ask:
    return lambda *more: say(
        "predict", "--run", "small", "--data-dir", store, "--runs-dir", runs_dir, "--offline", *more
    )


def refused(answer: Answer, code: int, *texts: str) -> None:
    """One line on standard error, nothing on standard output, no traceback."""
    assert answer.code == code, answer.err
    assert answer.out == ""
    (line,) = [line for line in answer.err.splitlines() if not line.startswith("· ")]
    assert line.startswith("error: ")
    for text in texts:
        assert text in line


@pytest.mark.parametrize(
    ("setting", "texts"),
    [
        ("task.horizon=0", ("--set task.horizon=0: task.horizon is 0", "greater than or equal to 1")),
        ("task.horizon=[]", ("--set task.horizon=[]", "expected")),
        ("task.horizn=3", ("unknown key 'task.horizn'", "Did you mean 'horizon'?")),
        ("training.seed=-1", ("training.seed is -1",)),
        ("features=[bas]", ("Unknown feature group 'bas'. Did you mean 'base'?",)),
        ("evaluation.baselines=[last]", ("Unknown baseline 'last'. ",)),
        ("nonsense", ("--set nonsense: expected KEY=VALUE",)),
        ("data.tickers=[APPL]", ("Unknown ticker 'APPL'. Did you mean 'AAPL'?",)),
        ("data.tickers=[]", ("expected `all` or at least one symbol",)),
        ("data.exclude=[AAPL, IBM, MSFT]", ("data.exclude leaves no ticker",)),
        ("data.start=2010-01-01", ("data.split ends training on 2009-06-30, but the candles begin on 2010",)),
        ("data.end=2009-01-02", ("data.split begins the test after 2010-06-30, but the candles end on 2009-01-02",)),
        ("data.tickers=[GOOG] & task.context=1999", ("task.context is 1999", "longest history has 2148", "lower")),
        ("data.split.test_end=2010-09-30 & task.horizon=[1, 200]", ("task.horizon has step 200", "lower task.horizon")),
        ("training.learning_rate=1e30", ("training.learning_rate: the", "lower the rate")),
        ("model={name: gur}", ("Unknown model 'gur'. Did you mean 'gru'?",)),
        ("task.decoder=recursiv", ("task.decoder is 'recursiv': expected 'direct', 'recursive' or 'seq2seq'",)),
        ("task.decoder=seq2seq & task.horizon=[1, 5]", ("task.horizon is [1, 5]", "seq2seq", "set horizon to 5")),
        (
            "task.decoder=recursive",
            ("features has volume", "decoder recursive", "base, calendar, ohlc", "set task.decoder to direct"),
        ),
        (
            "task.decoder=recursive & features=[base] & task.head=point",
            ("task.head is point", "set head to scale, or decoder to direct"),
        ),
        (
            "task.decoder=recursive & features=[base] & model.bidirectional=true",
            ("model.bidirectional is true with task.decoder recursive", "set decoder to direct"),
        ),
        (
            "model.bidirectional=true & task.supervision=dense",
            ("model.bidirectional is true with task.supervision dense", "set supervision to window"),
        ),
        (
            "task.teacher_forcing=0.5",
            ("task.teacher_forcing is 0.5 with task.decoder direct", "set decoder to seq2seq"),
        ),
        ("task.decoder=seq2seq & task.teacher_forcing=2", ("task.teacher_forcing is 2", "less than or equal to 1")),
        (
            "model={name: dnn, window: 41}",
            ("looks back 41 candles, but a forecast reads 40", "task.context at least 41"),
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(
    train: Ask, tmp_path: Path, setting: str, texts: tuple[str, ...]
) -> None:
    several = [part for one in setting.split(" & ") for part in ("--set", one)]
    refused(train("gru", "--set", "task.supervision=window", *several), 2, *texts)
    assert not list(tmp_path.glob("runs/*/model.safetensors"))
    if "learning_rate" not in setting:
        assert not (tmp_path / "runs").exists(), "what is refused leaves nothing behind"


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("- a\n- list\n", ("mine.yaml:1: the file is a list, expected sections",)),
        ("", ("mine.yaml:1: the file is empty",)),
        ("model: {name: gru\n", ("mine.yaml:2: this is not valid YAML",)),
        ("model: {name: gru}\ntask:\n  head: fan\n", ("mine.yaml:3: task.head is 'fan'",)),
        (
            "model: {name: gru}\ndata:\n"
            "  split: {train_end: 2012-01-01, validation_end: 2011-01-01, test_end: 2013-01-01}\n",
            ("mine.yaml:3: ", "expected train_end < validation_end < test_end"),
        ),
        (
            "model: {name: gru}\ndata: {start: 2012-01-01, end: 2011-01-01}\n",
            ("mine.yaml:2: ", "a start before the end"),
        ),
    ],
)
def test_a_config_that_cannot_be_used_names_file_and_line(
    say: Ask, store: Path, tmp_path: Path, text: str, texts: tuple[str, ...]
) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    answer = say("train", tmp_path / "mine.yaml", "--data-dir", store, "--runs-dir", tmp_path / "runs")
    refused(answer, 2, *texts)


def test_an_unknown_config_names_the_nearest(train: Ask) -> None:
    refused(train("gur"), 2, "Unknown config 'gur'. Did you mean 'gru'?")


@pytest.mark.parametrize("more", [(), ("gru", "--resume", "small")])
def test_train_wants_a_config_or_a_run(say: Ask, more: tuple[str, ...]) -> None:
    refused(say("train", *more), 2, "needs either CONFIG or --resume RUN")


def test_resume_takes_the_runs_own_config(say: Ask) -> None:
    refused(say("train", "--resume", "small", "--set", "task.horizon=2"), 2, "omit --set, --name and --force")


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "a b"])
def test_a_run_has_a_plain_name(train: Ask, name: str) -> None:
    refused(train("gru", f"--name={name}"), 2, "expected letters, digits")


@pytest.mark.parametrize(
    ("more", "texts"),
    [
        (("AAPL", "--horizon", "0"), ("--horizon is 0, but the run was trained for steps 1 to 3",)),
        (("AAPL", "--horizon", "4"), ("--horizon is 4",)),
        (("APPL",), ("Unknown ticker 'APPL'. Did you mean 'AAPL'?", "forecast fetch APPL")),
        (("no/symbol",), ("'no/symbol' is not a ticker symbol",)),
        (("AAPL", "--as-of", "1999-01-01"), ("AAPL has 0 candles up to 1999-01-01", "needs 61")),
        (("AAPL", "--run", "smal"), ("Unknown run 'smal'. Did you mean 'small'?",)),
    ],
)
def test_a_forecast_that_cannot_be_made_is_one_line(
    predict: Ask, more: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    refused(predict(*more), 2, *texts)


def test_a_ticker_with_three_rows_is_refused_alone_and_told_among_others(
    predict: Ask, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    Store(copy).write(bars("NEW", 3), source="test")
    refused(predict("NEW", "--data-dir", copy), 2, "NEW has 3 candles, but a forecast needs 61")
    both = predict("NEW", "AAPL", "--data-dir", copy, "--format", "json")
    assert both.code == 3
    assert "NEW has 3 candles" in both.err


def test_a_context_longer_than_a_history_is_refused(say: Ask, train: Ask, store: Path, tmp_path: Path) -> None:
    window = ("--set", "task.supervision=window", "--set", "task.context=250", "--name", "long")
    assert train("gru", *window, "--quiet").code == 0
    answer = say("predict", "FB", "--data-dir", store, "--runs-dir", tmp_path / "runs")
    refused(answer, 2, "FB has 196 candles, but a forecast needs 250")


def test_a_model_file_cut_short_is_refused(say: Ask, store: Path, trained: TrainedRun, tmp_path: Path) -> None:
    shutil.copytree(trained.folder, tmp_path / "cut")
    model = tmp_path / "cut" / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-7])
    answer = say("predict", "AAPL", "--run", "cut", "--data-dir", store, "--runs-dir", tmp_path)
    refused(answer, 2, "model.safetensors is damaged", "Train it again")


def test_an_empty_store_and_no_runs_say_what_to_do_first(say: Ask, store: Path, tmp_path: Path) -> None:
    nothing = ("--data-dir", tmp_path / "none", "--runs-dir", tmp_path / "runs")
    refused(say("train", "gru", *nothing), 2, "holds no candles", "forecast fetch --source sample")
    refused(say("predict", "AAPL", "--offline", *nothing), 2, "holds no candles", "forecast fetch --source sample")
    refused(say("runs", "show", *nothing), 2, "holds no finished run", "forecast train demo")


def test_a_runs_folder_that_cannot_be_written_is_an_outside_error(say: Ask, store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    places = ("--data-dir", store, "--runs-dir", tmp_path / "file")
    answer = say("train", "gru", *settings("training.steps=2"), *places)
    refused(answer, 4, "cannot be written")
    assert (tmp_path / "file").read_text() == "in the way"


def test_an_output_that_cannot_be_written_is_an_outside_error(predict: Ask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = predict("AAPL", "--format", "csv", "--quiet", "--output", tmp_path / "file" / "x.csv")
    refused(answer, 4, "cannot be written")


def test_a_bug_is_said_to_be_one_and_shows_its_traceback_only_when_asked(
    predict: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecaster.workflows import predict as module

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the unforeseen")

    monkeypatch.setattr(module.Run, "find", fail)
    refused(predict("AAPL"), 1, "this is a bug: RuntimeError: the unforeseen", "--verbose")
    with pytest.raises(RuntimeError, match="the unforeseen"):
        predict("AAPL", "--verbose")


def test_a_stray_ticker_of_later_days_does_not_move_the_split(say: Ask, store: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for path in store.glob("*.parquet"):
        (data / path.name).write_bytes(path.read_bytes())
    Store(data).write(bars("STRAY", 2, start="2020-02-03"), source="file")
    places = ("--data-dir", data, "--runs-dir", tmp_path / "runs")
    quick = ("--set", "training.steps=2", "--set", "model.hidden_size=4", "--set", "training.device=cpu")
    answer = say("train", "gru", *quick, *places, "--format", "json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["last"] == "2013-02-28"


def test_a_full_disk_behind_standard_output_is_an_outside_reason(
    store: Path, runs_dir: Path, trained: TrainedRun
) -> None:
    arguments = ["predict", "AAPL", "--data-dir", str(store), "--runs-dir", str(runs_dir), "--run", "small", "--quiet"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, env=environment())
    assert done.returncode == 4
    assert done.stderr == (
        "error: standard output cannot be written: No space left on device; "
        "check where it goes, or name a file with --output.\n"
    )
