"""What a training says of its speed."""

from __future__ import annotations

import pytest

from forecaster.show.progress import Pace, training_progress


def pace(*times: float) -> Pace:
    return Pace(clock=iter(times).__next__)


def test_speed_and_time_left_are_said_once_they_are_known() -> None:
    clock = pace(100.0, 100.1, 102.0, 104.0)
    said = [clock.words(step, 200) for step in (1, 2, 41, 200)]
    assert said == ["", "", ", 20 steps/s, 0:08 left", ", 50 steps/s"]


@pytest.mark.parametrize(
    ("spent", "left"), [(10.0, ", 0.1 steps/s, 16:30 left"), (1000.0, ", 0.001 steps/s, 27:30:00 left")]
)
def test_a_slow_training_has_hours_and_tenths(spent: float, left: str) -> None:
    clock = pace(0.0, spent)
    clock.words(0, 100)
    assert clock.words(1, 100) == left


def test_a_measured_step_does_not_count_twice_and_the_next_network_starts_anew() -> None:
    clock = pace(0.0, 1.0, 1.0, 50.0, 51.0)
    assert [clock.words(step, 100) for step in (1, 11, 11)][1:] == [", 10 steps/s, 0:09 left"] * 2
    assert [clock.words(step, 100) for step in (1, 6)] == ["", ", 5.0 steps/s, 0:19 left"]


def test_a_resumed_training_is_not_fast_because_of_what_was_done_before() -> None:
    clock = pace(0.0, 1.0)
    assert clock.words(5000, 6000) == ""
    assert clock.words(5010, 6000) == ", 10 steps/s, 1:39 left"


def test_lines_go_to_standard_error_with_loss_and_skill(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress() as (say, tick):
        say("fold 1 of 2: learns [a, b]")
        for step in range(3):
            tick(step, 2, *((0.25, 0.0123) if step == 2 else (None, None)))
    out, err = capsys.readouterr()
    assert out == ""
    assert "fold 1 of 2: learns [a, b]" in err, "brackets are no markup"
    assert "step 2 of 2: loss 0.2500, validation skill +1.23%" in err


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress(quiet=True) as (say, tick):
        say("reading candles")
        tick(1, 2, 0.25, None)
    assert capsys.readouterr() == ("", "")
