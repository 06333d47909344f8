"""Work shared among the processor's cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from forecaster.cores import cores, thread_map, threads


@pytest.fixture(params=["1", "2", "5"])
def several(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("forecaster.cores.cores", lambda: int(request.param))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return int(request.param)


def test_a_process_has_no_more_cores_than_the_machine() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("wish", "expected"), [("1", 1), ("2", 2), ("99", 4), ("0", 4), ("", 4), ("many", 4), ("2,1", 4)]
)
def test_the_common_variable_limits_the_threads(wish: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecaster.cores.cores", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", wish)
    assert threads() == expected


@pytest.mark.usefixtures("several")
def test_results_come_in_the_order_of_the_items() -> None:
    assert list(thread_map(lambda number: number**2, range(40))) == [number**2 for number in range(40)]
    assert list(thread_map(str, [])) == []


def test_the_work_is_shared(several: int) -> None:
    """As many items are worked on at the same time as there are threads: each waits until all have begun."""
    together = threading.Barrier(several)
    assert list(thread_map(lambda _: together.wait(240) >= 0, range(several))) == [True] * several


def test_no_more_is_begun_than_is_waited_for(several: int) -> None:
    begun: list[int] = []
    results: Iterator[None] = thread_map(begun.append, range(40))
    next(results)
    assert len(begun) <= several + 1
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= several + 1


def test_an_error_is_raised_and_ends_the_rest(several: int) -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise ValueError("the fourth")

    with pytest.raises(ValueError, match="the fourth"):
        list(thread_map(work, range(400)))
    assert len(begun) <= 4 + several + 1
