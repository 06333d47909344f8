"""Standard streams that are closed, full, or read only at their beginning; each by a real process and a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shlex import join

import pytest

from forecaster.data.store import Store
from forecaster.workflows.train import TrainedRun
from tests.damage import damaged
from tests.studio import command, environment

pytest_plugins = ("tests.studio_fixtures",)

Done = subprocess.CompletedProcess[str]


def shell(line: str, cwd: Path) -> Done:
    """A line of bash, whose code is that of the first command in a pipe that fails."""
    words = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(words, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)


@pytest.fixture
def predict(store: Path, trained: TrainedRun) -> str:
    """The command line of a forecast, to which a shell's redirections can be added."""
    places = ["--data-dir", str(store), "--runs-dir", str(trained.folder.parent), "--run", "small"]
    return join(command("predict", "AAPL", *places, "--format", "csv"))


@pytest.mark.parametrize("streams", [">&-", ">/dev/full", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_a_result_that_goes_to_a_file_needs_no_standard_output(predict: str, tmp_path: Path, streams: str) -> None:
    done = shell(f"{predict} --output o.csv {streams}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.csv").read_text().startswith("ticker,origin")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("more", ["", "--format table", "--paths 2000"])
@pytest.mark.parametrize(
    ("stream", "reason"), [(">&-", "it is closed"), (">/dev/full", "No space left on device")], ids=["closed", "full"]
)
def test_a_result_that_cannot_be_given_is_one_line_with_code_4(
    predict: str, tmp_path: Path, more: str, stream: str, reason: str
) -> None:
    done = shell(f"{predict} --quiet {more} {stream}", tmp_path)
    remedy = "check where it goes, or name a file with --output."
    assert (done.returncode, done.stderr) == (4, f"error: standard output cannot be written: {reason}; {remedy}\n")


def test_what_was_done_is_kept_where_it_cannot_be_said(tmp_path: Path) -> None:
    done = shell(f"{join(command('fetch', '--source', 'sample', '--data-dir', 's', '--quiet'))} >&-", tmp_path)
    assert done.returncode == 4
    assert len(Store(tmp_path / "s").tickers()) == 5
    assert damaged(Store(tmp_path / "s")) == [], "nothing was printed into a file of the store"


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_standard_error_stops_nothing(predict: str, tmp_path: Path, streams: str) -> None:
    done = shell(f"{predict} {streams}", tmp_path)
    assert (done.returncode, done.stdout[:7]) == (0, "ticker,")
    refused = shell(f"{predict} --horizon 99 {streams}", tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.parametrize("more", ["--paths 3000", "--format table --paths 9"])
def test_a_reader_that_leaves_is_no_failure_and_the_pictures_are_drawn(predict: str, tmp_path: Path, more: str) -> None:
    done = shell(f"{predict} --quiet {more} --plot x.svg | head -c 1 | wc -c", tmp_path)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "1", "")
    assert (tmp_path / "x.svg").read_text().rstrip().endswith("</svg>")


def test_a_reader_that_leaves_does_not_hide_what_failed(predict: str, tmp_path: Path) -> None:
    done = shell(f"{predict.replace(' AAPL ', ' AAPL NOSUCH ')} --paths 3000 --quiet | head -1", tmp_path)
    assert done.returncode == 3
    assert done.stdout.count("\n") == 1
    assert "NOSUCH" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_training_goes_on_when_its_progress_is_read_no_more(store: Path, tmp_path: Path) -> None:
    words = ["train", "demo", "--set", "training.steps=2", "--set", "model.hidden_size=2", "--name", "it"]
    done = shell(f"{join(command(*words, '--data-dir', str(store), '--output', 'o.txt'))} 2>&1 | head -1", tmp_path)
    assert (done.returncode, done.stdout) == (0, "· reading candles\n")
    assert (tmp_path / "runs" / "it" / "model.safetensors").is_file()


@pytest.mark.parametrize("words", ["--help", "--version", "data list"])
def test_help_and_all_else_that_is_printed_fails_alike(
    store: Path, tmp_path: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTER_DATA_DIR", str(store))
    for stream in (">&-", ">/dev/full"):
        done = shell(f"{join(command(*words.split()))} {stream}", tmp_path)
        assert done.returncode == 4
        assert done.stderr.startswith("error: standard output")
        assert done.stderr.count("\n") == 1
    assert shell(f"{join(command(*words.split()))} | head -1", tmp_path).stderr == ""


@pytest.mark.parametrize("words", ["data export --to npz --output x", "runs export small --to onnx --output x"])
def test_an_export_to_a_named_file_needs_no_standard_output(
    store: Path, trained: TrainedRun, tmp_path: Path, words: str
) -> None:
    place = ["--data-dir", str(store)] if words.startswith("data") else ["--runs-dir", str(trained.folder.parent)]
    done = shell(f"{join(command(*words.split(), *place))} >&-", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "x").stat().st_size > 1000
