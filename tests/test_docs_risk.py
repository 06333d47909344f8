"""docs/risk.md names every key of the JSON of `risk`, `odds` and `rank`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from forecaster.workflows.odds import odds
from forecaster.workflows.rank import rank
from forecaster.workflows.risk import risk
from forecaster.workflows.train import TrainedRun

pytest_plugins = ("tests.studio_fixtures",)

PAGE = (Path(__file__).parents[1] / "docs" / "risk.md").read_text(encoding="utf-8")


def keys(data: Any) -> set[str]:
    """Of all objects, but those in measures, which are the rows of a scorecard."""
    if isinstance(data, list):
        return set().union(*map(keys, data))
    if not isinstance(data, dict):
        return set()
    return set(data) | set().union(*(keys(value) for name, value in data.items() if name != "measures"))


def test_every_key_of_the_data_is_documented(store: Path, trained: TrainedRun) -> None:
    given: dict[str, Any] = {"run": str(trained.folder), "data_dir": store}
    found = {
        "risk": risk({"AAPL": 1, "IBM": 2}, days=2, paths=500, backtest=True, **given).as_data(),
        "odds": odds("AAPL", above=450, touch=(440, 420), within=2, size=100, paths=500, **given).as_data(),
        "rank": rank(**given).as_data(),
    }
    for name, data in found.items():
        text = re.search(rf"^{name}: (.+?)(?=^\w|^```)", PAGE, re.DOTALL | re.MULTILINE)
        assert text is not None
        assert keys(data) - set(re.findall(r'"(\w+)"', text[1])) == set(), name
