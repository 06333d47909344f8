"""Cells and decoders side by side: `python benchmarks/cells/run.py STORE [--seeds 3] [--cells gru lstm …]`.

Each is trained on the years up to 2014 with the settings of the shipped `gru` (dense supervision, 200 steps) and judged
on the validation years 2015 and 2016; the test years are not looked at. STORE is a folder that `forecast fetch` filled.
Prints a row a cell: the skill over the EWMA random walk at step 1 and over all steps (mean, and the spread of the
seeds), weights, seconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import candidates  # registers what it holds

from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.scorecard import make_scorecard
from forecaster.evaluation.scores import score
from forecaster.modelfile import weights_of
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.members import learn
from forecaster.training.networks import Job
from forecaster.trial import Trial

CELLS = {
    "rnn": ["model.name=rnn", "training.learning_rate=2e-3"],
    "lstm": ["model.name=lstm"],
    "gru": ["model.name=gru"],
    **{name: [f"model={{name: {name}}}"] for name in ("mingru", "minlstm", "slstm", "lru")},
    "attention": ["model={name: attention}"],
    "dnn, last candle": ["model={name: dnn}", "training.learning_rate=2e-3"],
    "dnn, 20 candles": ["model={name: dnn, window: 20}", "training.learning_rate=2e-3"],
    "direct": ["features=[base, vol]"],
    **{
        f"seq2seq, taught {share}": ["features=[base, vol]", "task.decoder=seq2seq", f"task.teacher_forcing={share}"]
        for share in ("0.0", "0.5", "1.0")
    },
    "recursive": ["features=[base, vol]", "task.decoder=recursive"],
}
SPLIT = "data.split={train_end: 2014-12-31, validation_end: 2016-12-31, test_end: 2018-12-31}"


def main() -> None:
    assert candidates
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cells", nargs="+", default=list(CELLS))
    parser.add_argument("--set", nargs="*", default=[], dest="settings")
    options = parser.parse_args()
    print(f"{'cell':<20} {'step 1':>16} {'all steps':>16} {'weights':>8} {'s':>5}")
    for name in options.cells:
        found = [_measured([*CELLS[name], *options.settings], seed, options.store) for seed in range(options.seeds)]
        first, overall, weights, seconds = zip(*found, strict=True)
        spread = "".join(f" {statistics.mean(one):+8.2f} ± {statistics.pstdev(one):.2f} %" for one in (first, overall))
        print(f"{name:<20}{spread} {weights[0]:>8,} {statistics.median(seconds):>5.0f}", flush=True)


@cache
def _prepared(features: tuple[str, ...], store: Path) -> Trial:
    return prepare(load_config("gru", [SPLIT, f"features=[{', '.join(features)}]"]), store)


def _measured(settings: list[str], seed: int, store: Path) -> tuple[float, float, int, float]:
    config = load_config(
        "gru", [SPLIT, *settings, f"training.seed={10 * seed}", "evaluation.baselines=[ewma-random-walk]"]
    )
    trial = replace(_prepared(config.features, store), config=config)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        networks = learn(Job(trial, Path(folder))).members
    seconds = time.perf_counter() - start
    rows, dataset = trial.origins(trial.split.validation), trial.dataset
    scores = {
        label: score(one, dataset, rows, split.validation, config.task.levels)
        for label, one in forecasters(networks, trial, rows).items()
    }
    card = make_scorecard(scores, dataset.panel.sessions[rows], len(dataset.panel), dataset.steps)
    skills = {
        row.step: 100 * (row.skill_pinball or 0.0)
        for row in card.rows
        if row.name == config.name and row.variable == "mean" and row.baseline == card.reference
    }
    return skills[1], skills["all"], sum(array.size for array in weights_of(networks[0]).values()), seconds


if __name__ == "__main__":
    main()
