"""Model files, their headers, networks and trees; checkpoints."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from forecaster.evaluation.ledger import Known
from forecaster.runs.run import Run
from forecaster.training.adamw import AdamW
from forecaster.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from forecaster.training.files import CurvePoint
from tests.fuzz.base import Base, Feed, Words
from tests.fuzz.mutate import of_bytes, of_json
from tests.fuzz.readers.tables import SAMPLE

Calling = Callable[[], object]


def feeds(base: Base) -> dict[str, Feed]:
    return {
        "model header": _header(base),
        "model bytes": _bytes(base),
        "model tensors": _tensors(base, "small"),
        "trees": _tensors(base, "trees"),
        "checkpoint": _checkpoint(base),
    }


def read(base: Base, folder: Path, rng: random.Random) -> Words | Calling:
    """A command that reads the run `bad`, or what the commands read of it."""
    if rng.randrange(SAMPLE):
        return lambda: _all_of(Run.find(folder, "bad"))
    predict = ("predict", "AAPL", "--offline", "--run", "bad")
    verb = rng.choice((("runs", "list"), ("runs", "show", "bad"), predict))
    return (*verb, "--runs-dir", str(folder), *base.places[:2])


def _all_of(run: Run) -> None:
    """What `runs show` and `predict` read of a run."""
    run.scorecard(Known((), ()))
    run.model.light(production=True)
    run.curves()


def _place(folder: Path) -> Path:
    (folder / "bad").mkdir(exist_ok=True)
    return folder / "bad" / "model.safetensors"


def _header(base: Base) -> Feed:
    tensors, header = base.model("small")

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        save_file(tensors, _place(folder), {"forecaster": json.dumps(of_json(header, rng))})
        return read(base, folder, rng)

    return feed


def _bytes(base: Base) -> Feed:
    content = (base.runs / "small" / "model.safetensors").read_bytes()

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        _place(folder).write_bytes(of_bytes(content, rng))
        return read(base, folder, rng)

    return feed


def _tensors(base: Base, run: str) -> Feed:
    """A sound file whose arrays are of another shape or type, away, or hold other numbers."""
    tensors, header = base.model(run)
    names = list(tensors)

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        changed = dict(tensors)
        for _ in range(rng.randint(1, 2)):
            name = rng.choice(names)
            if name in changed:
                array = of_array(changed.pop(name), rng)
                changed |= {} if array is None else {name: array}
        save_file(changed, _place(folder), {"forecaster": json.dumps(header)})
        return predicted(base, folder) if not rng.randrange(SAMPLE) else read(base, folder, rng)

    def predicted(base: Base, folder: Path) -> Words:
        return ("predict", "AAPL", "--offline", "--run", "bad", "--runs-dir", str(folder), *base.places[:2])

    return feed


def of_array(array: np.ndarray, rng: random.Random) -> np.ndarray | None:
    """The array changed; None if it is to go."""
    kind = rng.randrange(6)
    if kind == 0:
        return None
    if kind == 1:
        return np.ascontiguousarray(array[: len(array) // 2]) if array.ndim else array
    if kind == 2:
        return array.reshape(-1)[None]
    if kind == 3:
        return array.astype(rng.choice((np.float64, np.int64, np.float32, np.uint8, np.bool_)))
    changed = array.copy()
    flat = changed.reshape(-1)
    if flat.size:
        values = (0, 1, 127) if array.dtype.kind in "iub" else (0.0, -1e30, 1e30, np.nan, np.inf, 1e-45)
        for _ in range(rng.choice((1, 1, 10))):
            flat[rng.randrange(flat.size)] = rng.choice(values)
    return changed


def _checkpoint(base: Base) -> Feed:
    network = torch.nn.Linear(3, 2)
    optimiser = AdamW(network.parameters(), 0.01)
    curve = [CurvePoint(10, 0.5, 0.4, 0.1), CurvePoint(20, 0.4)]
    path = base.folder / "checkpoint.safetensors"
    best = {name: value.clone() for name, value in network.state_dict().items()}
    save_checkpoint(path, Progress("same", 20, 0.4, best, curve), network, optimiser)
    content = path.read_bytes()
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        header = json.loads(file.metadata()["forecaster"])
    path.unlink()

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        place, kind = folder / "checkpoint-0.safetensors", rng.randrange(3)
        if kind == 0:
            place.write_bytes(of_bytes(content, rng))
        elif kind == 1:
            save_file(tensors, place, {"forecaster": json.dumps(of_json(header, rng))})
        else:
            name = rng.choice(list(tensors))
            changed = of_array(tensors[name], rng)
            save_file(tensors | ({} if changed is None else {name: changed}), place, {"forecaster": json.dumps(header)})
        return lambda: load_checkpoint(place, "same", network, optimiser)

    return feed
