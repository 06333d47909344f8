"""docs/tuning.md is so: its config can be searched as it stands, its commands run, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.config.tune import TuneConfig
from forecaster.runs.space import _FIXED
from tests.studio import REPOSITORY, Answer

pytest_plugins = ("tests.studio_fixtures",)

PAGE = (REPOSITORY / "docs" / "tuning.md").read_text(encoding="utf-8")
QUICK = ("--set", "training.steps=2")


def test_the_example_runs_as_it_stands(
    say: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FORECASTER_DATA_DIR", "FORECASTER_RUNS_DIR"):
        monkeypatch.delenv(name, raising=False)
    (config,) = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, flags=re.DOTALL)
    Path(config[0]).write_text(config[1], encoding="utf-8")
    (commands,) = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in commands.splitlines():
        _, verb, *words = shlex.split(line)
        quick = {"tune": (*QUICK, "--trials", "3", "--workers", "1"), "train": QUICK}.get(verb, ())
        answer = say(verb, *words, *quick)
        assert answer.code == 0, answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "mine.yaml", "runs", "tuned-mine.yaml"]


def test_every_key_of_the_section_and_every_key_that_is_refused_is_named() -> None:
    assert {key for key in TuneConfig.model_fields if f"tune.{key}" not in PAGE} == set()
    assert {key for key in _FIXED if key not in ("tune", "tracking") and f"`{key}`" not in PAGE} == set()


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)", PAGE)
    assert links
    assert [link for link in links if not (REPOSITORY / "docs" / link).is_file()] == []
