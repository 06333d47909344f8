"""What a training says of its speed."""

from __future__ import annotations

import pytest

from forecaster.show.progress import Folds, Pace, ParallelFolds, training_progress


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
    with training_progress() as watch:
        watch.say("fold 1 of 2: trains on [a, b]")
        for step in range(3):
            watch.tick(step, 2, *((0.25, 0.0123) if step == 2 else (None, None)))
    out, err = capsys.readouterr()
    assert out == ""
    assert "fold 1 of 2: trains on [a, b]" in err, "brackets are no markup"
    assert "step 2 of 2: loss 0.2500, validation skill +1.23%" in err


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress(quiet=True) as watch:
        watch.say("reading candles")
        watch.tick(1, 2, 0.25, None)
    assert capsys.readouterr() == ("", "")


def test_a_walk_forward_takes_what_its_finished_folds_took() -> None:
    folds = Folds(clock=iter([0.0, 4.0, 4.0, 60.0, 75.0, 80.0, 130.0]).__next__)
    folds.turn(1, 3)
    assert folds.words() == "fold 1 of 3"
    assert folds.words(left=6.0) == "fold 1 of 3, 0:26 left", "6 seconds of this one, and 10 of each other"
    folds.turn(2, 3)
    assert folds.words(left=3.0) == "fold 2 of 3, 1:45 left"
    assert folds.words(left=70.0) == "fold 2 of 3, 2:10 left", "the network at work knows better"
    folds.turn(3, 3)
    assert folds.number == 3


def test_one_fold_is_no_walk() -> None:
    folds = Folds()
    assert folds.words(1.0) == ""
    folds.turn(1, 1)
    assert folds.words(1.0) == ""


def test_a_walk_taken_up_takes_what_the_folds_since_then_took() -> None:
    folds = Folds(clock=iter([1000.0, 1004.0, 1004.0]).__next__)
    folds.turn(31, 40)
    folds.turn(32, 40)
    assert folds.words() == "fold 32 of 40, 0:36 left"


def test_folds_at_a_time_count_their_parts_and_what_was_done_before_is_no_speed() -> None:
    crew = ParallelFolds(clock=iter([1000.0, 1010.0, 1010.5, 1020.0, 1040.0]).__next__)
    said = [crew.words(done, 8) for done in (4.0, 4.5, 4.55, 5.2, 8.0)]
    assert said == ["4 of 8 folds"] * 3 + ["5 of 8 folds, 0:40 left", "8 of 8 folds"]


def test_a_pipe_has_a_line_a_finished_fold(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress() as watch:
        for done in (0.0, 0.4, 1.2, 1.7, 2.0):
            watch.folds(done, 2)
    assert [line[:12] for line in capsys.readouterr().err.split("· ")[1:]] == ["1 of 2 folds", "2 of 2 folds"]


def test_lines_of_a_walk_name_the_fold(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress() as watch:
        watch.fold(1, 2)
        watch.tick(50, 50, 0.25, None)
    assert "step 50 of 50: loss 0.2500; fold 1 of 2" in capsys.readouterr().err
