"""Two commands at once, one or both killed at random moments: `python -m tests.torture --random 200`."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecaster.evaluation.journal import JOURNAL
from tests.studio import command, settings
from tests.torture.cases import CASES, PLACES, STEPS
from tests.torture.checks import left_over, stored, wounds
from tests.torture.harness import Words, failure, fresh, run, torture_environment

FETCH = CASES["fetch"].words
PREDICT = CASES["predict"].words
OTHER = ("predict", "MSFT", "--offline", "--run", "old", "--as-of", "2013-02-01", "--quiet", *PLACES)
SCORE = ("score", "--quiet", "--format", "json", *PLACES)
QUICK = settings(*STEPS, "training.steps=20")
BACKTEST = ("backtest", "gru", *QUICK, "--refit-every", "130", "--workers", "1", "--quiet", *PLACES)
SHORT = ("train", "gru", *QUICK, "--quiet", *PLACES)
TUNE = CASES["tune"].words
PAIRS: tuple[tuple[Words, Words], ...] = (
    (FETCH, PREDICT),
    (FETCH, FETCH),
    (PREDICT, OTHER),
    (PREDICT, PREDICT),
    (PREDICT, SCORE),
    ((*SHORT, "--name", "one"), (*SHORT, "--name", "two")),
    ((*SHORT, "--name", "old", "--force"), PREDICT),
    (BACKTEST, BACKTEST),
    (BACKTEST, (*SHORT, "--name", "one")),
    (TUNE, PREDICT),
)
"""Commands that start together; the first is the longer one."""

USUAL = frozenset({0, 2, 3, 4})
"""Exit codes of a command beside which another is killed: 2 if that one had just made, or not yet, what it asks for."""


@dataclass(frozen=True)
class Moment:
    """One pair, and what was killed.

    Args:
        killed: how many of the two were still at work.
        problems: what was not as promised.
    """

    words: tuple[Words, Words]
    killed: int
    problems: tuple[str, ...]


Strike = Callable[[Sequence["subprocess.Popen[str]"]], int]
"""Kills one or both of two commands at work; how many were still at work."""


def moment(number: int, spans: Mapping[Words, float], base: Path, work: Path, home: Path) -> Moment:
    """Starts a pair, kills one or both after a random part of their time, repeats both, and checks everything.

    Args:
        number: of the moment, which decides the pair and the seed.
        spans: seconds that each command takes alone.
    """
    chance, pair = random.Random(number), PAIRS[number % len(PAIRS)]
    victims = chance.choice(((0,), (1,), (0, 1)))
    waits = [chance.uniform(0.0, 1.2 * spans[pair[place]] / len(victims)) for place in victims]

    def strike(begun: Sequence[subprocess.Popen[str]]) -> int:
        return sum(_killed(begun[place], wait) for place, wait in zip(victims, waits, strict=True))

    return struck(pair, strike, base, work, home)


def at_the_journal(work: Path) -> Strike:
    """Kills whichever of two forecasts writes the journal first, while it writes."""
    journal = work / "runs" / JOURNAL

    def strike(begun: Sequence[subprocess.Popen[str]]) -> int:
        while not _is_written(journal) and any(one.poll() is None for one in begun):
            time.sleep(0.0005)  # the transaction takes some milliseconds
        victim = min(begun, key=lambda one: not _has_open(one.pid, journal))
        alive = victim.poll() is None
        victim.kill()
        return int(alive)

    return strike


def _is_written(journal: Path) -> bool:
    """Whether a transaction is at work, which has a file of its own until it ends, or one was."""
    return Path(f"{journal}-journal").exists() or (journal.exists() and journal.stat().st_size > 0)


def _has_open(pid: int, path: Path) -> bool:
    try:
        return any(file.samefile(path) for file in Path(f"/proc/{pid}/fd").iterdir() if file.exists())
    except OSError:  # it has ended, or closed a file
        return False


def struck(pair: tuple[Words, Words], strike: Strike, base: Path, work: Path, home: Path) -> Moment:
    """Starts a pair, kills of it, repeats both, and checks everything."""
    fresh(CASES["fetch"], base, work)
    before = stored(work)
    begun = [_start(words, work, home) for words in pair]
    killed = strike(begun)
    problems = []
    for one in begun:
        _, err = one.communicate()
        done = subprocess.CompletedProcess(one.args, one.returncode, "", err)
        problems += failure(done, USUAL) if one.returncode >= 0 else []
    problems += [*wounds(work), *(f"{name} is lost" for name in before if name not in stored(work))]
    for words in pair:
        problems += [f"repeated, {words[0]}: {one}" for one in failure(_again(words, work, home))]
    problems += [f"after it: {wound}" for wound in wounds(work)]
    problems += [f"{path} is left over" for path in left_over(work)]
    return Moment(pair, killed, tuple(problems))


def _start(words: Words, work: Path, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*words),
        cwd=work,
        env=torture_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _killed(process: subprocess.Popen[str], seconds: float) -> bool:
    """Kill a process after so many seconds; False if it has ended by itself."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return True
    return False


def _again(words: Words, work: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Repeats a command; a training that was begun is resumed, one that is finished is left alone."""
    if words[0] != "train":
        return run(words, work, home)
    name = words[words.index("--name") + 1]
    done = run(("train", "--resume", name, "--quiet", *PLACES), work, home)
    if done.returncode != 2:
        return done
    return run(("runs", "list", *PLACES[2:]) if "finished" in done.stderr else words, work, home)
