"""How the shipped model is made: what `benchmarks/pretrained/build.py` drops changes neither forecast nor verdict."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from forecaster.config.load import read_document, validate
from forecaster.modelfile import TEMPLATES, read_model
from forecaster.runs.folder import MODEL, shipped_run
from forecaster.runs.run import Run
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.conftest import ROOT

pytest_plugins = ("tests.studio_fixtures",)

PLACE = ROOT / "benchmarks" / "pretrained"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pretrained_build", PLACE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_stripped_model_forecasts_and_is_judged_as_before(
    build: ModuleType, store: Path, trained: TrainedRun, tmp_path: Path
) -> None:
    build.strip(trained.folder / MODEL, tmp_path / "small" / MODEL)
    before, after = (Run.read(folder, tmp_path) for folder in (trained.folder, tmp_path / "small"))
    assert TEMPLATES in before.model.tensors
    assert TEMPLATES not in after.model.tensors
    ledger = after.ledger(tmp_path).read()
    assert after.scorecard(ledger).verdict.code == before.scorecard(ledger).verdict.code
    said = [predict("IBM", run=str(run.folder), data_dir=store, runs_dir=tmp_path)[0].prices for run in (before, after)]
    assert np.array_equal(*said)
    again = tmp_path / "again" / MODEL
    build.strip(trained.folder / MODEL, again)
    assert again.read_bytes() == (tmp_path / "small" / MODEL).read_bytes()


def test_the_shipped_model_is_of_the_config_that_is_kept(build: ModuleType) -> None:
    kept, shipped = validate(read_document(str(build.CONFIG))), read_model(shipped_run() / MODEL).config
    assert shipped.task == kept.task
    assert (shipped.features, shipped.training, shipped.data) == (kept.features, kept.training, kept.data)
    assert [(one.name, one.weight) for one in shipped.networks] == [(one.name, one.weight) for one in kept.networks]


def test_finetune_has_the_shipped_models_members() -> None:
    tuned, shipped = validate(read_document("finetune")), validate(read_document(str(PLACE / "pretrained.yaml")))
    assert tuned.training.init == "pretrained"
    assert (tuned.features, tuned.networks, tuned.task) == (shipped.features, shipped.networks, shipped.task)
