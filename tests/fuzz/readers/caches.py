"""What is computed once and read by others: the files of a backtest's folds, features, calendars."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import numpy as np

from forecaster import mapped
from forecaster.data import calendarfile
from forecaster.data.calendars import sessions
from forecaster.data.panel import read_panel
from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.evaluation.scores import SHARES, Scores
from forecaster.features import cache
from forecaster.runs.config import load_config
from forecaster.trial import Trial
from forecaster.walkforward.claims import Claims
from forecaster.walkforward.walk import Walk, load_scores, load_walk, save_scores, save_walk
from tests.fuzz.base import Base, Feed, Words
from tests.fuzz.mutate import of_bytes, of_json
from tests.fuzz.readers.models import of_array

Calling = Callable[[], object]

GROUPS = ("base", "vol")
CLAIM = {"host": "other/pid:[1]", "pid": 17, "started": "12345"}


def feeds(base: Base) -> dict[str, Feed]:
    return {
        "folds": _folds(base),
        "fold scores": _scores(base),
        "claims": _claim,
        "features": _features(base),
        "calendars": _calendars(),
    }


def changed(path: Path, rng: random.Random) -> None:
    """A file with other bytes, other values of its JSON, or another array."""
    if path.suffix == ".json" and rng.random() < 0.7:
        path.write_bytes(json.dumps(of_json(json.loads(path.read_bytes()), rng)).encode("utf-8", "replace"))
    elif path.suffix == ".npy" and rng.random() < 0.7:
        array = of_array(np.load(path), rng)
        path.unlink()
        if array is not None:
            np.save(path, array)
    else:
        path.write_bytes(of_bytes(path.read_bytes(), rng))


def _folds(base: Base) -> Feed:
    config = load_config("gru", ("task.horizon=2", "task.context=20", "features=[base, vol]"))
    panel = read_panel(Store(base.store), ["AAPL", "IBM"]).until(np.datetime64("2006-12-29"))
    split = Split(*map(np.datetime64, ("2005-06-30", "2006-01-31", "2006-12-29")))
    place = base.folder / "walk"
    save_walk(Walk(place, Trial.of(config, panel, split), (split,)))
    names = [path.name for path in place.iterdir()]

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        shutil.copytree(place, folder, dirs_exist_ok=True)
        changed(folder / ("shared.json" if rng.random() < 0.5 else rng.choice(names)), rng)
        return lambda: load_walk(folder)

    return feed


def _scores(base: Base) -> Feed:
    shape, path = (40, 2, 4), base.folder / "scores.safetensors"
    fields = {name: np.ones(shape) for name in Scores.__dataclass_fields__ if name != "inside"}
    save_scores(path, {"model": Scores(inside=(None,) * len(SHARES), **fields)})
    content = path.read_bytes()

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / "scores.safetensors").write_bytes(of_bytes(content, rng))
        return lambda: load_scores(folder / "scores.safetensors")

    return feed


def _claim(folder: Path, rng: random.Random) -> Words | Calling:
    path = folder / rng.choice(("claim-0-0", "claim-0-x", "claim-0-99999999999", "present-x"))
    text = json.dumps(of_json(CLAIM, rng)).encode("utf-8", "replace")
    path.write_bytes(text if rng.random() < 0.7 else of_bytes(json.dumps(CLAIM).encode(), rng))
    claims = Claims(folder, MappingProxyType({}), "present-me")  # type: ignore[arg-type]
    return lambda: (claims.holder(0), claims.others())


def _features(base: Base) -> Feed:
    panel = read_panel(Store(base.store), ["AAPL", "IBM"]).until(np.datetime64("2005-12-30"))
    cache.CACHED_FROM = 1
    with mapped.large_arrays_in(base.folder / "cache"):
        expected = cache.features_of(panel, GROUPS)
    cache.CACHED_FROM = 2**30
    values = np.array(expected.values)

    def read(folder: Path) -> None:
        cache.CACHED_FROM = 1
        try:
            with mapped.large_arrays_in(folder):
                found = cache.features_of(panel, GROUPS)
        finally:
            cache.CACHED_FROM = 2**30
        assert found.values.shape == values.shape

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        shutil.copytree(base.folder / "cache", folder, dirs_exist_ok=True)
        (entry,) = cache.entries(folder)
        changed(rng.choice(sorted(entry.folder.iterdir())), rng)
        return lambda: read(folder)

    return feed


def _calendars() -> Feed:
    span = np.datetime64("2010-01-04"), np.datetime64("2012-12-31")
    sessions("XLON", *span)
    place = calendarfile._folder()
    assert place is not None
    name = f"{hashlib.sha256(b'XLON').hexdigest()[:16]}.json"
    content = json.loads((place / name).read_bytes())

    def feed(_: Path, rng: random.Random) -> Words | Calling:
        if rng.random() < 0.6:
            (place / name).write_bytes(json.dumps(of_json(content, rng)).encode("utf-8", "replace"))
        else:
            (place / name).write_bytes(of_bytes(json.dumps(content).encode(), rng))
        return lambda: calendarfile.read_calendar("XLON")

    return feed
