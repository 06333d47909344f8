"""Yahoo's chart JSON, through the real client, from a server on 127.0.0.1."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from forecaster.data.sources import SOURCES, Order, SourceOptions
from tests.fuzz.base import Base, Feed, Words
from tests.fuzz.mutate import of_bytes, of_json
from tests.fuzz.readers.tables import SAMPLE
from tests.yahoo.kit import SATURDAY, Kit
from tests.yahoo.listings import sample
from tests.yahoo.server import Reply, YahooServer

Calling = Callable[[], object]


def feeds(base: Base) -> dict[str, Feed]:
    listing = sample()["IBM"]
    short = listing.taken(slice(-40, None)).changed(0)  # type: ignore[arg-type]
    chart = short.chart(SATURDAY)
    server: list[Kit] = []

    @cache
    def kit() -> Kit:
        """In the process that asks: a thread of another does not outlive a fork."""
        running = contextlib.ExitStack().enter_context(YahooServer([short], SATURDAY))
        made = Kit(running, base.folder / "yahoo")
        server.append(made)
        assert "yahoo" in SOURCES
        SOURCES._members["yahoo"] = made.source
        return made

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        here = kit()
        if rng.random() < 0.7:
            content = json.dumps(of_json(chart, rng)).encode("utf-8", "replace")
        else:
            content = of_bytes(json.dumps(chart).encode(), rng)
        here.server.fail("IBM", lambda _: Reply(200, content))
        if not rng.randrange(SAMPLE):
            return ("fetch", "IBM", "--source", "yahoo", "--data-dir", str(folder / "new-store"))
        return lambda: _deliver(here)

    return {"chart": feed}


def _deliver(kit: Kit) -> None:
    for one in kit.source(SourceOptions(workers=1)).deliver(Order(("IBM",), lambda _: None)):
        if one.failure is not None:
            raise one.failure
