"""Features of a whole panel: how long they take, and how much memory beside what they produce."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from figures import Figure


def feature_figures(store: Path, repeats: int) -> Iterator[Figure]:
    """All groups, each time in a process of its own."""
    found = [_measured(store) for _ in range(repeats)]
    name = f"features of {found[0]['candles']:,} candles, {found[0]['columns']} columns"
    yield Figure(f"{name}: processor", tuple(one["seconds"] for one in found), " s", 3.0)
    yield Figure("their memory over what they produce", tuple(one["ratio"] for one in found), " ×", 3.0)


def _measured(store: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, str(store)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _measure(store: Path) -> None:
    from forecaster.data.calendars import following_sessions
    from forecaster.data.panel import read_panel
    from forecaster.data.store import open_store
    from forecaster.features import GROUPS
    from forecaster.features.compute import compute_features

    held = open_store(store)
    panel = read_panel(held, held.tickers())
    for calendar in dict.fromkeys(panel.calendars):
        following_sessions(calendar, panel.sessions)  # the library that knows them takes a second to import
    names, before = GROUPS.names(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    values = compute_features(panel, names).values
    seconds = time.process_time() - begun
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    told = {"seconds": seconds, "ratio": more / values.nbytes, "candles": len(values), "columns": values.shape[1]}
    print(json.dumps(told))


if __name__ == "__main__":
    _measure(Path(sys.argv[1]))
