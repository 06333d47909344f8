"""The parts of a search: the journal that outlives a killed process, trials run again, and what luck is worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import InputError
from forecaster.tuning.findings import findings, finished
from forecaster.tuning.journal import JOURNAL, distributions, heal, join, opened
from forecaster.tuning.search import Search, load_search, save_config
from forecaster.tuning.worth import worth
from tests.test_tune import CONFIG


def search_in(folder: Path) -> Search:
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    return load_search(folder)


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """A search without candles: nothing is trained."""
    return search_in(tmp_path / ".tune-one")


def journal(search: Search) -> Path:
    return search.folder / JOURNAL


def give(search: Search, *skills: float) -> None:
    """Finished trials with these skills, and one that a process leaves running when it is killed."""
    with opened(search) as study:
        for skill in skills:
            study.tell(study.ask(distributions(search)), skill)
        study.ask(distributions(search))


def test_a_running_trial_of_a_killed_process_fails_and_is_asked_again_first(search: Search) -> None:
    give(search, 0.1)
    with opened(search) as study:
        killed = study.get_trials()[1]
        assert killed.state.name == "FAIL"
        again = study.ask(distributions(search))
        assert (again.params, again.user_attrs) == (killed.params, {"again": 1})
        assert [one.skill for one in finished(search, study)] == [0.1], "a failed trial does not count"


def test_the_config_as_written_comes_first_and_stays_it_when_it_is_run_again(search: Search) -> None:
    own = {"training.learning_rate": 0.01, "model.hidden_size": "4", "features": "[base, vol]"}
    give(search)
    with opened(search) as study:
        assert study.get_trials()[0].params == own
        again = study.ask(distributions(search))
        assert (again.params, again.user_attrs) == (own, {"own": True, "again": 0})


@pytest.mark.parametrize("torn", [b'{"op_code":6,"tri', b'{"op_code":6,"tri\n', b"\x00\x00\x00", b"7\n"])
def test_a_torn_last_line_is_cut_off_and_nothing_else(search: Search, torn: bytes) -> None:
    give(search, 0.1, 0.2)
    whole = journal(search).read_bytes()
    journal(search).write_bytes(whole + torn)
    heal(journal(search), search.folder.name)
    assert journal(search).read_bytes() == whole
    journal(search).write_bytes(whole + torn)
    with opened(search) as study:
        assert [one.skill for one in finished(search, study)] == [0.1, 0.2]
        study.tell(study.ask(distributions(search)), 0.3)
    assert all(json.loads(line) for line in journal(search).read_bytes().splitlines())


def test_a_journal_that_was_torn_at_its_first_line_begins_anew(search: Search) -> None:
    journal(search).write_bytes(b'{"op_code":0,"stu')
    with opened(search) as study:
        assert finished(search, study) == ()


def test_damage_in_the_middle_is_refused_with_its_line_and_kept(search: Search) -> None:
    give(search, 0.1)
    first, second, *rest = journal(search).read_bytes().splitlines(keepends=True)
    damaged = b"".join([first, second[:9] + b"\n", *rest])
    journal(search).write_bytes(damaged)
    with pytest.raises(InputError, match=r"journal\.log:2 is damaged: delete the lines from there on"), opened(search):
        pass
    assert journal(search).read_bytes() == damaged


def test_a_bug_of_ours_is_no_damage_of_the_journal(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    give(search, 0.1)
    monkeypatch.setattr("forecaster.tuning.journal.run_again", lambda *_: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"), opened(search):
        pass


def test_a_damaged_file_of_losses_is_named_and_no_finished_trial_is_to_be_deleted(search: Search) -> None:
    give(search, 0.1)
    search.losses(0).write_bytes(b"not of numpy")
    with (
        opened(search) as study,
        pytest.raises(InputError, match=r"losses-0\.npy is damaged: .* Move the folder away to search anew\.$"),
    ):
        findings(search, study)


def test_the_journal_of_another_study_is_refused_and_kept(search: Search, tmp_path: Path) -> None:
    other = search_in(tmp_path / ".tune-other")
    give(other, 0.5)
    strange = journal(other).read_bytes()
    journal(search).write_bytes(strange)
    expected = r"journal of another study \(\.tune-other\), not of \.tune-one: move it away\."
    with pytest.raises(InputError, match=expected), opened(search):
        pass
    assert journal(search).read_bytes() == strange


def test_one_process_leads_a_search_at_a_time_and_others_may_join(search: Search) -> None:
    with opened(search):
        with (
            pytest.raises(InputError, match=r"another forecast tune is at work in .*: wait for it, or end it\."),
            opened(search),
        ):
            pass
        join(search)
    with opened(search):
        pass


def test_a_config_is_handed_to_other_processes_as_it_was_given(search: Search) -> None:
    save_config(search)
    found = load_search(search.folder)
    assert found.config == search.config
    assert found.own() == search.own()


@pytest.fixture
def draw() -> Callable[..., list[np.ndarray]]:
    """Losses of trials by date, equally good but for noise and what the first is better by."""

    def draw(better: float, seed: int, trials: int = 8, dates: int = 250) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        days = 1 + 0.3 * rng.standard_normal(dates)  # good and bad days, the same for all
        rows = [days + 0.05 * rng.standard_normal(dates) for _ in range(trials)]
        return [rows[0] - better, *rows[1:]]

    return draw


def best_of(losses: list[np.ndarray]) -> int:
    return min(range(len(losses)), key=lambda place: float(losses[place].mean()))


def test_the_lead_of_the_best_of_equals_is_what_luck_alone_gives(draw: Callable[..., list[np.ndarray]]) -> None:
    found = [worth(losses, best_of(losses), 1, 5) for losses in (draw(0.0, seed) for seed in range(60))]
    gains, lucks = [one.gain for one in found if one], [one.luck for one in found if one]
    assert np.mean(gains) == pytest.approx(np.mean(lucks), rel=0.2)
    assert 0.02 < np.mean([one.p_value < 0.1 for one in found if one]) < 0.25


def test_a_gain_that_is_more_than_luck_is_seen(draw: Callable[..., list[np.ndarray]]) -> None:
    found = worth(draw(0.05, 1), 0, 1, 5)
    assert found is not None
    assert found.p_value < 0.01
    assert found.left == pytest.approx(0.05, abs=0.015)
    assert "expect +" in found.text
    assert "the config as written" in found.text


def test_where_the_config_as_written_is_the_best_it_is_kept(draw: Callable[..., list[np.ndarray]]) -> None:
    losses = draw(0.05, 2)
    found = worth(losses, 0, 0, 5)
    assert found is not None
    assert (found.gain, found.left) == (0.0, 0.0)
    assert found.text.endswith("is better in validation than the config as written: keep it.")
    against_mean = worth(losses, 0, None, 5)
    assert against_mean is not None
    assert "the mean of the trials" in against_mean.text


def test_with_too_few_trials_or_dates_nothing_is_said(draw: Callable[..., list[np.ndarray]]) -> None:
    assert worth(draw(0.1, 0, trials=2), 0, 1, 5) is None
    assert worth(draw(0.1, 0, dates=20), 0, 1, 5) is None
    assert worth([], 0, None, 5) is None


def test_a_lock_in_a_relative_folder_leads_to_the_journal(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Optuna gives up the lock of a killed process by the age of what it leads to; else it waits for ever."""
    from optuna.storages.journal import JournalFileBackend

    monkeypatch.chdir(tmp_path)
    held: list[bool] = []
    append = JournalFileBackend.append_logs

    def look(self: JournalFileBackend, logs: list[dict[str, object]]) -> None:
        self._lock.acquire()
        held.append(Path(f"{search.folder.name}/{JOURNAL}.lock").exists())
        self._lock.release()
        append(self, logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", look)
    with opened(replace(search, folder=Path(search.folder.name))):
        assert held
        assert all(held)


def test_what_killed_processes_left_beside_the_journal_is_removed(search: Search) -> None:
    for name in (".config.yaml.abcd.part", f"{JOURNAL}.lock1234.rename"):
        (search.folder / name).write_text("half")
    with opened(search):
        assert sorted(path.name for path in search.folder.iterdir()) == [".lock", "config.yaml", JOURNAL]
