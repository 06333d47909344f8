"""glibc's allocator is tuned for the time of a library call, and is the caller's own again when it returns."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecaster import memory
from forecaster.workflows.train import train
from tests.studio import QUICK

pytest_plugins = ("tests.studio_fixtures",)

DEFAULTS = {memory._MMAP_MAX: 65_536, memory._TRIM_THRESHOLD: 131_072, memory._MMAP_THRESHOLD: 131_072}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """What was set last, by parameter."""
    last: dict[int, int] = {}

    def set_(option: int, value: int) -> bool:
        last[option] = value
        return True

    monkeypatch.setattr(memory, "_set", set_)
    return last


def test_outside_of_the_context_nothing_is_set(settings: dict[int, int]) -> None:
    assert not memory.keep_large_blocks()
    memory.release_memory()
    assert settings == {}


def test_the_defaults_are_restored_once_after_the_outermost_context(settings: dict[int, int]) -> None:
    with memory.tuned_allocator():
        with memory.tuned_allocator():
            assert memory.keep_large_blocks()
        assert settings[memory._MMAP_MAX] == 0, "the outer context is still open"
    assert settings == DEFAULTS


def test_an_error_restores_them_too(settings: dict[int, int]) -> None:
    @memory.tuned_allocator()
    def fail() -> None:
        memory.keep_large_blocks()
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert settings == DEFAULTS


def test_training_sets_them_and_puts_them_back(settings: dict[int, int], store: Path, tmp_path: Path) -> None:
    train("gru", settings=(*QUICK, "training.steps=2"), data_dir=store, runs_dir=tmp_path)
    assert settings == DEFAULTS
    assert memory._active == 0
