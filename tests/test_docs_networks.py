"""The pages on networks and shapes name what there is, and nothing that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forecaster.config.about import shipped_configs
from forecaster.models import MODELS
from forecaster.models.build import parameters
from forecaster.runs.config import load_config

ROOT = Path(__file__).parents[1]
NETWORKS = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
SHAPES = (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `") or " | `" in line]


@pytest.mark.parametrize("name", MODELS.names())
def test_a_network_and_each_of_its_parameters_has_its_row(name: str) -> None:
    first = " ".join(row[0] for row in rows(NETWORKS))
    assert f"`{name}`" in first
    assert [key for key in parameters(name).model_fields if f"`{key}`" not in first] == []


def test_configs_that_are_named_ship() -> None:
    shipped = {name for row in rows(NETWORKS)[:6] for name in re.findall(r"`(\w+)`", row[-1])}
    shapes = {name for row in rows(SHAPES) for name in re.findall(r"`(\w+)`", row[2])}
    assert len(shapes) >= 6
    assert shipped | shapes <= set(shipped_configs())


@pytest.mark.parametrize(("name", "steps", "supervision", "decoder"), [
    ("n_to_1", 1, "window", "direct"),
    ("n_to_m", 5, "window", "direct"),
    ("n_to_m_recursive", 5, "window", "recursive"),
    ("n_to_m_seq2seq", 5, "window", "seq2seq"),
    ("n_to_n", 1, "dense", "direct"),
    ("one_to_n", 1, "dense", "direct"),
])  # fmt: skip
def test_a_shapes_config_is_of_that_shape(name: str, steps: int, supervision: str, decoder: str) -> None:
    task = load_config(name).task
    assert (len(task.steps), task.supervision, task.decoder) == (steps, supervision, decoder)


@pytest.mark.parametrize("page", [NETWORKS, SHAPES], ids=["networks", "shapes"])
def test_files_that_are_linked_exist(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page)
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).resolve().is_file()] == []
