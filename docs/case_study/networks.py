"""Networks and formulas trained through the public API, and how good their forecasts of the test period are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any

import torch
from torch import nn

import forecaster
from forecaster.config.schema import VARIABLES
from forecaster.evaluation.rows import Row, find
from forecaster.evaluation.scorecard import Scorecard
from forecaster.modelfile import read_model

CONFIG = "gru"
FORMULAS = ("ewma-random-walk", "ewma-garman-klass", "har", "climatology", "harx")
"""Fitted on the same years and tested on the same days as the networks; skill is measured against the first."""

SETTINGS = (
    "features=[base, vol, volume, weekday, season, shape, calendar]",
    "training.steps=150",
    "training.learning_rate=2e-3",
    "training.device=cpu",
    f"evaluation.baselines=[{', '.join((*FORMULAS, 'last-close'))}]",
)
"""What every run here has on top of it: the features that few tickers have, fewer steps, and the formulas beside."""


def trained(name: str, settings: Sequence[str], folder: str, config: str = CONFIG) -> dict[str, Any]:
    """Train a config with other settings on top, and give the figures of its scorecard; seconds are of one core."""
    places = {"data_dir": f"{folder}/store", "runs_dir": f"{folder}/runs"}
    torch.set_num_threads(1)
    begin = time.process_time()
    run = forecaster.train(config, settings=list(settings), name=name, **places)
    seconds = time.process_time() - begin
    member = read_model(run.folder / "model.safetensors").members()[0]
    weights = sum(own.numel() for own in member.parameters()) if isinstance(member, nn.Module) else None
    return {"parameters": weights, "seconds": seconds} | figures(run.scorecard)


def figures(card: Scorecard) -> dict[str, Any]:
    """Skills are against the first formula; those over each formula, and theirs over this run, have a p-value each."""
    name, reference = card.rows[0].name, card.reference
    overall = find(card.rows, name, "mean", "all", reference)
    over = {
        row.baseline: {"skill": row.skill_pinball, "p": row.p_value}
        for row in card.rows
        if row.baseline in FORMULAS and (row.name, row.variable, row.step) == (name, "mean", "all")
    }
    return {
        "steps": {str(step): find(card.rows, name, "mean", step, reference).skill_pinball for step in card.horizon},
        "skill": overall.skill_pinball,
        "p": overall.p_value,
        "over": over,
        "theirs": {other: {"skill": _gain(card, other, name), "p": one["p"]} for other, one in over.items()},
        "held": overall.coverage80,
        "reference_held": _own(card, reference, "mean", "all").coverage80,
        "formulas_held": {other: _own(card, other, "mean", "all").coverage80 for other in over},
        "close_gain": 1 - _own(card, name, "close", 1).mae / _own(card, "last-close", "close", 1).mae,
        "sessions": card.sessions,
        "first": card.first,
        "last": card.last,
        "reference": reference,
    }


def _own(card: Scorecard, name: str, variable: str, step: int | str) -> Row:
    """A row for what does not depend on the baseline it is compared with."""
    return next(row for row in card.rows if (row.name, row.variable, row.step) == (name, variable, step))


def _gain(card: Scorecard, name: str, other: str) -> float:
    """By what share a loss is lower than another, mean of the four prices, as the scorecard has it."""
    pairs = [(_own(card, name, price, "all").pinball, _own(card, other, price, "all").pinball) for price in VARIABLES]
    return 1 - mean(own / theirs for own, theirs in pairs)


def beside(run: str, other: str, folder: str) -> dict[str, Any]:
    """By what share the loss of `run` is lower than that of `other`, and the p-value; from `forecast runs compare`."""
    places = ["--data-dir", f"{folder}/store", "--runs-dir", f"{folder}/runs"]
    words = ["runs", "compare", other, run, *places, "--format", "json", "--quiet"]
    command = [sys.executable, "-m", "forecaster", *words]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    score = json.loads(said.stdout)["scores"][1]
    return {"skill": score["gain"], "p": score["p_value"]}
