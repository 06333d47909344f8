"""Whatever comes while handlers of signals are changed, they are as before at the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from forecaster.interrupts import interrupts_held

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    before = {one: signal.signal(one, signal.default_int_handler) for one in BOTH}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("place", ["entry", "exit"])
def test_an_interrupt_between_two_changes_leaves_no_handler_behind(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, changed = signal.signal, []

    def interrupted(number: signal.Signals, handler: Any) -> Any:
        before = change(number, handler)
        changed.append(number)
        if len(changed) == (1 if place == "entry" else 3):
            signal.raise_signal(*(set(BOTH) - {number} if place == "entry" else {number}))
        return before

    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        assert place == "exit"
    assert [signal.getsignal(one) for one in BOTH] == [signal.default_int_handler] * 2


def test_a_handler_that_a_host_installed_in_c_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    get, change = signal.getsignal, signal.signal

    def of_python(number: signal.Signals) -> Any:
        return None if number == signal.SIGTERM else get(number)  # as Python has it for a handler in C

    def returning_none(number: signal.Signals, handler: Any) -> Any:
        before = change(number, handler)
        return None if number == signal.SIGTERM else before

    monkeypatch.setattr(signal, "getsignal", of_python)
    monkeypatch.setattr(signal, "signal", returning_none)
    reached = []

    def held() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        held()
    assert reached == ["the end"]
    assert [get(one) for one in BOTH] == [signal.default_int_handler] * 2
