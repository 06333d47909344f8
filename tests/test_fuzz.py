"""The fuzzer sees what it is for: each broken promise, a crash among them, costs one input and is said."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.errors import InputError

pytest.importorskip("resource")  # Windows has none: before the fuzzer, which imports it

from tests.fuzz.__main__ import fuzz
from tests.fuzz.base import Base
from tests.fuzz.mutate import VALUES, of_json
from tests.marks import needs_linux

pytestmark = needs_linux


def refuse() -> None:
    raise InputError("x is 1, expected 2: change it.")


def fault() -> None:
    raise ZeroDivisionError


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def swell() -> None:
    bytearray(b"x") * (300 << 20)


def stray() -> None:
    Path("/nonexistent-folder/x").mkdir()


KINDS: dict[str, tuple[Callable[[], None], str]] = {
    "bug": (fault, "this is a bug: ZeroDivisionError"),
    "crash": (crash, f"the process ended with -{int(signal.SIGKILL)}"),
    "memory": (swell, "more than 200 MB and 10 times its size"),
    "outside": (stray, "writes outside: '/nonexistent-folder/x'"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_broken_promise_is_said_once_and_the_run_goes_on(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    does, said = KINDS[kind]

    def feed(folder: Path, rng: random.Random) -> Callable[[], object]:
        return does if rng.random() < 0.5 else refuse

    found = fuzz("made", feed, Base(tmp_path), 1, 12)
    assert found.inputs == 12
    assert 0 < found.bad < 12
    assert len(found.kinds) == 1
    assert said in next(iter(found.kinds))
    assert capfd.readouterr().out.count(said) == 1


def test_a_mutation_is_that_of_its_number_and_changes_nothing_else() -> None:
    value = {"a": [1, 2, {"b": "c"}], "d": None}
    before = repr(value), repr(VALUES)
    first = [repr(of_json(value, random.Random(number))) for number in range(200)]
    assert first == [repr(of_json(value, random.Random(number))) for number in range(200)]
    assert (repr(value), repr(VALUES)) == before
    assert len(set(first)) > 50
