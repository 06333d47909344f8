"""Runs that were damaged on purpose, each found out by its own canary, and an honest one that passes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from forecaster.data.bars import Bars
from forecaster.data.splits import Period
from forecaster.data.store import Store
from forecaster.evaluation.ledger import Ledger
from forecaster.features import GROUPS
from forecaster.features.candles import Candles
from forecaster.features.dataset import Dataset, pooled_quantiles
from forecaster.models import MODELS
from forecaster.tensorfile import load_tensors, save_tensors
from forecaster.training import networks as learn
from forecaster.training.sampling import Batch, Sampler
from forecaster.trial import Trial
from forecaster.workflows.doctor import Examination, doctor
from forecaster.workflows.predict import predict
from forecaster.workflows.train import train
from tests.studio import QUICK, Answer, bars

pytest_plugins = ("tests.studio_fixtures",)

TINY = (*QUICK, "training.steps=20", "model.hidden_size=4")

Say = Callable[..., Answer]


class Late(nn.Module):
    """A body whose states come five candles late: the newest ones never reach the readout."""

    def __init__(self, input_size: int, *, hidden_size: int = 4) -> None:
        super().__init__()
        self.cell = nn.GRU(input_size, hidden_size, batch_first=True)
        self.output_size, self.causal, self.skip = hidden_size, True, False

    def forward(self, inputs: Tensor) -> Tensor:
        states = self.cell(inputs)[0]
        return torch.cat([torch.zeros_like(states[:, :5]), states], dim=1)[:, : inputs.shape[1]]


class Everywhere(Late):
    """A body that knows the mean of all its inputs, later ones too, and says it were causal."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.cell(inputs + inputs.mean(dim=1, keepdim=True))[0]


def peek(candles: Candles) -> dict[str, np.ndarray]:
    """Tomorrow's move, as a feature of today."""
    tomorrow = np.full_like(candles.returns, np.nan)
    tomorrow[:-1] = candles.returns[1:]
    return {"tomorrow": tomorrow / candles.scale}


@pytest.fixture
def registered() -> Iterator[None]:
    """What somebody else might bring, for one test."""
    MODELS.names(), GROUPS.names()
    members = ((MODELS, "late", Late), (MODELS, "everywhere", Everywhere), (GROUPS, "peek", peek))
    for registry, name, member in members:
        registry.add(name, member)  # type: ignore[attr-defined]
    yield
    for registry, name, _ in members:
        del registry._members[name]  # type: ignore[attr-defined]


@pytest.fixture
def examined(store: Path, tmp_path: Path) -> Callable[..., Examination]:
    """Train a small run, do something to its folder, and send for the doctor."""

    def run(*settings: str, like: str = "gru", then: Callable[[Path], None] = lambda _: None) -> Examination:
        trained = train(like, settings=settings or TINY, data_dir=store, runs_dir=tmp_path, name="patient")
        then(trained.folder)
        return doctor("patient", data_dir=store, runs_dir=tmp_path)

    return run


def failed(examination: Examination) -> set[str]:
    return {check.name for check in examination.checks if check.status == "failed"}


def measured(examination: Examination, name: str) -> str:
    return next(check.measured for check in examination.checks if check.name == name)


def status(examination: Examination, name: str) -> str:
    return next(check.status for check in examination.checks if check.name == name)


def rewritten(path: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    tensors, header = load_tensors(path / "model.safetensors")
    change(header)
    save_tensors(path / "model.safetensors", tensors, header)


def shifted(by: int) -> type[Sampler]:
    """A sampler whose labels are those of other sessions."""

    class Shifted(Sampler):
        def _gather(self, rows: Tensor, last: Tensor) -> Batch:
            batch, own = super()._gather(rows, last), self.logs
            origins = rows[:, -self.span :].clamp(max=last)
            outcomes = (origins[..., None] + self.steps + by).clamp(max=len(own) - 1)
            moves = own[outcomes] - own[origins][..., None, 3:]
            targets = moves / (self.scale[origins][..., None] * self.steps.sqrt())[..., None]
            return Batch(batch.inputs, torch.where(batch.mask[..., None], targets, 0.0).clamp(-30, 30), batch.mask)

    return Shifted


def test_an_honest_run_passes_and_is_told_what_its_median_is_worth(examined: Callable[..., Examination]) -> None:
    found = examined(*TINY, "calibration.rolling=true", "training.through=latest")
    assert failed(found) == set()
    assert found.healthy
    run = [check for check in found.checks if check.part == "run"]
    assert {check.status for check in run} <= {"passed", "warned"}
    assert [check.name for check in run][:2] == ["look-ahead", "fitted-inside"]
    (echo,) = (check for check in run if check.name == "echo")
    assert echo.meaning == "The median is an echo of the last close; what this run adds is the spread."
    assert any("tested members" in note for note in found.notes)


def test_a_scaler_fitted_on_everything_is_found(
    examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = Period(None, np.datetime64("2011-06-30"))
    monkeypatch.setattr(Dataset, "base", lambda data, _, levels: pooled_quantiles(data, everything, data.units, levels))
    found = examined()
    assert failed(found) == {"fitted-inside"}
    assert measured(found, "fitted-inside").startswith("base: ")


@pytest.mark.parametrize(("by", "word"), [(1, "later"), (-1, "earlier")])
def test_labels_of_other_sessions_in_training_are_found(
    examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch, by: int, word: str
) -> None:
    monkeypatch.setattr(learn, "Sampler", shifted(by))
    found = examined()
    assert failed(found) == {"labels"}
    assert f"outcomes one session {word} fit better" in measured(found, "labels")


@pytest.mark.parametrize(("by", "word"), [(1, "the next origin"), (-1, "the origin before")])
def test_labels_of_other_origins_in_training_are_found(
    examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch, by: int, word: str
) -> None:
    class Rolled(Sampler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.logs = torch.roll(self.logs, -by, 0)

    monkeypatch.setattr(learn, "Sampler", Rolled)
    found = examined(*TINY, "training.refit=true", "training.steps=52")
    assert failed(found) == {"labels"}
    assert f"labels of {word} fit better" in measured(found, "labels")


def test_labels_of_other_sessions_in_the_evaluation_are_found(
    examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluated(members: object, trial: Trial, **more: object) -> object:
        from forecaster.evaluation.evaluate import evaluate

        dataset = trial.dataset

        class Later(Dataset):
            def moves(self, rows: np.ndarray) -> np.ndarray:
                return replace(dataset, steps=tuple(step + 1 for step in self.steps)).moves(rows)

        later = Later(dataset.panel, dataset.features, dataset.steps)
        return evaluate(members, replace(trial, dataset=later), **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("forecaster.workflows.train.evaluate", evaluated)
        found = examined()
    assert failed(found) == {"scorecard"}


@pytest.mark.usefixtures("registered")
def test_a_decoder_blind_to_the_newest_candles_is_found(examined: Callable[..., Examination]) -> None:
    found = examined(*QUICK[:2], *QUICK[3:], "training.steps=20", "model={name: late}")
    assert failed(found) == {"newest-candle"}
    assert "the newest 5 candles do not count at all" in measured(found, "newest-candle")


@pytest.mark.usefixtures("registered")
def test_a_feature_that_peeks_is_found(examined: Callable[..., Examination]) -> None:
    found = examined(*TINY, "features=[base, peek]")
    assert "look-ahead" in failed(found)
    assert failed(found) <= {"look-ahead", "calibration"}, "what is too good may also be too wide"
    assert "features" in measured(found, "look-ahead")
    assert "forecasts" in measured(found, "look-ahead")


@pytest.mark.usefixtures("registered")
def test_a_network_that_only_says_it_is_causal_is_found(examined: Callable[..., Examination]) -> None:
    found = examined(*QUICK[:2], *QUICK[3:], "training.steps=20", "model={name: everywhere}")
    assert "look-ahead" in failed(found)
    assert measured(found, "look-ahead").startswith("forecasts changed")


def test_a_forecast_that_is_the_last_close_is_called_an_echo(examined: Callable[..., Examination]) -> None:
    found = examined(
        *QUICK[:2],
        "task.horizon=3",
        "evaluation.baselines=[drift]",
        "model={name: last-close}",
        "task.head=point",
        like="har",
    )
    assert failed(found) == set()
    assert status(found, "echo") == "warned", "nothing is broken, but nothing is known either"
    assert status(found, "calibration") == status(found, "newest-candle") == "skipped"


def test_bands_that_never_change_are_no_more_than_an_echo(examined: Callable[..., Examination]) -> None:
    found = examined(*QUICK[:2], "task.horizon=3", "model={name: constant}", like="har")
    assert status(found, "echo") == "warned"
    assert failed(found) <= {"calibration"}, "its bands are those of wilder years"
    assert status(found, "newest-candle") == "skipped"


def test_bands_half_as_wide_are_found(examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Dataset, "base", lambda data, period, levels: pooled_quantiles(data, period, data.units, levels) / 2
    )
    found = examined(*TINY, "training.steps=2")
    assert failed(found) >= {"calibration", "fitted-inside"}
    assert failed(found) <= {"calibration", "fitted-inside", "echo"}, "too narrow to be worth more than an echo"


def test_figures_that_were_made_up_are_found(examined: Callable[..., Examination]) -> None:
    def praise(header: dict) -> None:  # type: ignore[type-arg]
        for row in header["scorecard"]["models"]:
            if row["kind"] == "model" and row["skill_pinball"] is not None:
                row["skill_pinball"] += 0.05

    found = examined(then=lambda folder: rewritten(folder, praise))
    assert failed(found) == {"scorecard"}
    assert "skill_pinball of gru" in measured(found, "scorecard")


def test_a_baseline_as_a_model_is_examined_like_a_network(examined: Callable[..., Examination]) -> None:
    found = examined(*QUICK[:2], "task.horizon=3", like="har")
    assert failed(found) == set()
    assert status(found, "labels") == "skipped"
    assert status(found, "newest-candle") == "passed"


def test_a_network_that_learnt_nothing_is_said_to_have_learnt_nothing(examined: Callable[..., Examination]) -> None:
    found = examined(*TINY, "training.steps=1", "training.learning_rate=1e-9")
    assert failed(found) == set()
    (labels,) = (check for check in found.checks if check.name == "labels")
    assert labels.status == "warned"
    assert labels.meaning.startswith("It learnt nothing")


def test_bands_that_are_merely_narrow_are_a_warning_and_no_fault(
    examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Dataset, "base", lambda data, period, levels: pooled_quantiles(data, period, data.units, levels) * 0.8
    )
    found = examined(*TINY, "training.steps=2")
    (bands,) = (check for check in found.checks if check.name == "calibration")
    assert bands.status == "warned"
    assert "too narrow" in bands.meaning
    assert found.as_data()["healthy"] is False, "the base quantiles themselves were altered"


STILL = "no price ever moved, so there is nothing to check"
HALVES = "data.split={validation: 4m, test: 4m}"


def standing(ticker: str, since: int, rows: int = 520, seed: int = 0) -> Bars:
    """Candles that move at first, and from a row on stand at one price without volume."""
    one = bars(ticker, rows, seed)
    names = ("open", "high", "low", "close", "adj_close")
    price = {name: np.append(getattr(one, name)[:since], np.full(rows - since, 7.0)) for name in names}
    return replace(one, **price, volume=np.append(one.volume[:since], np.zeros(rows - since)))


@pytest.mark.parametrize("like", ["gru", "few", "n_to_m_recursive"])
@pytest.mark.parametrize(
    ("since", "skipped"),
    [(0, {"newest-candle", "labels", "echo", "calibration"}), (300, {"echo"})],
    ids=["for ever", "before the test"],
)
def test_a_price_that_never_moved_is_no_leak_and_divides_nothing_by_zero(
    tmp_path: Path, like: str, since: int, skipped: set[str]
) -> None:
    """A warning of numpy's would be an error here, and so it would fail."""
    data_dir = tmp_path / "store"
    Store(data_dir).write(standing("PEG", since), source="test")
    settings = ("data.tickers=[PEG]", HALVES, "training.steps=3", "task.context=20")
    train(like, settings=settings, data_dir=data_dir, runs_dir=tmp_path, name="still")
    found = doctor("still", data_dir=data_dir, runs_dir=tmp_path)
    assert {check.name for check in found.checks if check.status == "skipped"} >= skipped
    assert {measured(found, name) for name in skipped - {"calibration"}} == {STILL}
    assert failed(found) <= {"candles", "calibration"}  # the store's finding, and bands too wide for what stands still
    assert "leak" not in json.dumps(found.as_data())
    (forecast,) = predict(["PEG"], run="still", data_dir=data_dir, runs_dir=tmp_path)
    day = standing("PEG", since).dates[since]
    assert any(text.startswith(f"PEG has not moved since {day}:") for text in forecast.warnings)


def test_one_still_ticker_among_others_skips_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "store"
    for one in (standing("PEG", 0), bars("MOV", 520, 1)):
        Store(data_dir).write(one, source="test")
    settings = ("data.tickers=[MOV, PEG]", HALVES, "training.steps=3", "task.context=20")
    train("gru", settings=settings, data_dir=data_dir, runs_dir=tmp_path, name="both")
    found = doctor("both", data_dir=data_dir, runs_dir=tmp_path)
    assert STILL not in {check.measured for check in found.checks}
    assert {status(found, name) for name in ("newest-candle", "labels", "look-ahead")} == {"passed"}


def test_the_labels_of_a_recursive_decoder_are_those_of_its_one_step(examined: Callable[..., Examination]) -> None:
    found = examined(*TINY, "training.learning_rate=3e-3", like="n_to_m_recursive")
    assert status(found, "labels") == "passed"


def test_the_doctor_is_no_look_of_its_own(
    store: Path, tmp_path: Path, say: Say, examined: Callable[..., Examination]
) -> None:
    examined()
    answer = say("doctor", "patient", "--data-dir", store, "--runs-dir", tmp_path, "--format", "json")
    assert [look.by for look in Ledger(store, tmp_path).read().looks] == ["train patient"], "the same model"
    data = json.loads(answer.out)
    assert data["run"] == "patient"
    assert data["healthy"] is (answer.code == 0)
    assert {"part", "name", "status", "value", "measured", "expected", "meaning"} == set(data["checks"][0])
    assert "canary: look-ahead" in answer.err


def test_without_a_run_installation_and_store_are_checked(store: Path, tmp_path: Path, say: Say) -> None:
    answer = say("doctor", "--data-dir", store, "--runs-dir", tmp_path, "--format", "csv", "--quiet")
    assert answer.code == 0
    assert answer.err == ""
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert {row["status"] for row in rows} == {"passed"}
    assert [row["name"] for row in rows][:3] == ["python", "libraries", "device"]


def test_a_store_with_a_finding_is_reported(sample_store: Store, tmp_path: Path, say: Say) -> None:
    sample_store.path("IBM").write_bytes(b"no parquet")
    answer = say("doctor", "--data-dir", sample_store.root, "--runs-dir", tmp_path)
    assert answer.code == 3
    assert "IBM damaged" in answer.out


def test_an_empty_store_and_folders_yet_to_be_made_are_no_fault(tmp_path: Path, say: Say) -> None:
    answer = say("doctor", "--data-dir", tmp_path / "a" / "b", "--runs-dir", tmp_path / "c")
    assert answer.code == 0
    assert "forecast fetch --source sample" in " ".join(answer.out.split())
    assert not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_written_is_a_finding(tmp_path: Path, say: Say) -> None:
    (tmp_path / "file").write_text("not a folder")
    answer = say("doctor", "--data-dir", tmp_path / "file", "--runs-dir", tmp_path)
    assert answer.code == 3
    assert "store folder" in answer.out


def test_a_run_that_is_not_there_is_one_line(tmp_path: Path, say: Say) -> None:
    answer = say("doctor", "nobody", "--runs-dir", tmp_path)
    assert answer.code == 2
    assert answer.err.startswith("error: Unknown run 'nobody'.")
    assert answer.out == ""
