"""Real processes: killed at any moment, interrupted, and what they print where."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.data.store import Store
from tests.damage import damaged
from tests.homeless import homeless
from tests.studio import eventually, hear_interrupts
from tests.yahoo.kit import QUICK, SATURDAY, Kit, same
from tests.yahoo.listings import sample, synthetic
from tests.yahoo.server import Mishap, YahooServer, status


def _command(mode: str, server: YahooServer, retry_settings: dict[str, float], *arguments: str) -> list[str]:
    settings = json.dumps(dataclasses.asdict(QUICK) | retry_settings)
    return [
        sys.executable, "-m", "tests.yahoo.driver", mode, str(server.port), SATURDAY.isoformat(), settings, *arguments,
    ]  # fmt: skip


def _run(server: YahooServer, *arguments: str, **retry_settings: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command("run", server, retry_settings, *arguments), capture_output=True, text=True)


def test_a_fetch_killed_at_any_moment_leaves_a_store_that_verifies(kit: Kit, server: YahooServer) -> None:
    """A moment is an event: so many requests have come, or so many files are written, and a little more."""
    server.put(*(synthetic(f"SYN{number}", years=10) for number in range(3)))
    before, after = (
        dict(server.listings),
        {name: one.split_by(2.0, "2012-06-18") for name, one in server.listings.items()},
    )
    kit.fetch(*before)
    more = ("--full", "--force", "--quiet", "--output", os.devnull, "--data-dir", str(kit.store.root))
    with _Killed(_command("killed", server, {"spacing": 0.03}, "fetch", *before, *more)) as fetch:
        moments = random.Random(3)
        killed = rewritten = 0
        for turn in range(12):
            server.listings = dict(after if turn % 2 == 0 else before)  # so that every file is to be written again
            server.log.clear()
            held = kit.bytes()

            def written(held: dict[str, tuple[bytes, int]] = held) -> int:
                return sum(held[name] != now for name, now in kit.bytes().items())

            reached, number = (server.requests, 1 + turn // 2) if turn % 4 < 2 else (written, 1 + turn // 4)
            killed += fetch.killed(reached, number, moments.uniform(0, 0.02)) == -signal.SIGKILL
            rewritten += written()
            assert len(kit.store.tickers()) == 8
            for name in before:  # each the old or the new, whole
                bars = kit.store.checked(name)
                assert same(bars, before[name]) or same(bars, after[name])
    assert killed >= 6  # most were not over before the blow
    assert rewritten >= 4  # and it fell among real writing
    kit.fetch(*before, full=True)
    assert all(kit.matches(listing) for listing in server.listings.values())
    assert kit.sound()


class _Killed:
    """A driver that starts a fetch for each line, to be killed at a moment of the test's choice."""

    def __init__(self, command: list[str]) -> None:
        self._driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> _Killed:
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.communicate()

    def killed(self, count: Callable[[], int], number: int, later: float) -> int:
        """Exit code of a fetch that was killed so many seconds after a count came to a number, unless it had ended."""
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write("again\n")
        self._driver.stdin.flush()
        child = int(self._driver.stdout.readline())
        assert eventually(lambda: count() >= number)
        time.sleep(later)
        os.kill(child, signal.SIGKILL)  # it is not waited for before this: the number is still its own
        self._driver.stdin.write("wait\n")
        self._driver.stdin.flush()
        return int(self._driver.stdout.readline())


@pytest.mark.parametrize(
    ("mishap", "retry_settings"),
    [
        (None, {"timeout": 100_000.0}),
        (status(429), {"first_pause": 100_000.0, "longest_pause": 100_000.0}),
        (status(500), {"first_wait": 100_000.0, "longest_wait": 100_000.0}),
    ],
    ids=["in a slow answer", "in a pause", "in a wait before a retry"],
)
def test_ctrl_c_ends_a_wait_at_once_and_keeps_what_finished(
    mishap: Mishap | None, retry_settings: dict[str, float], server: YahooServer, tmp_path: Path
) -> None:
    server.ignore("AAPL") if mishap is None else server.fail("AAPL", mishap)
    command = _command(
        "run", server, retry_settings, "fetch", "IBM", "MSFT", "AAPL", "--workers", "3", "--data-dir", str(tmp_path)
    )
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=hear_interrupts, **streams) as process:  # type: ignore[call-overload]
        store = Store(tmp_path)
        assert eventually(lambda: len(store.tickers()) == 2 and server.requests("AAPL") > 0)
        time.sleep(0.3)  # for the answer to be taken in, where there is one
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()  # the wait itself would last until the test is timed out
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "error: interrupted; what was finished is kept."
    assert output == ""
    assert store.tickers() == ("IBM", "MSFT")
    assert not damaged(store)


def test_the_command_says_what_failed_and_prints_only_its_result(server: YahooServer, tmp_path: Path) -> None:
    server.fail("AAPL", status(500))
    done = _run(server, "fetch", "aapl", " IBM", "ibm", "BRK.B", "--format", "json", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    rows = {row["ticker"]: row for row in json.loads(done.stdout)}
    assert list(rows) == ["AAPL", "IBM", "BRK.B"]
    assert rows["AAPL"]["reason"].startswith("AAPL: Yahoo had a server error (HTTP 500), 4 times.")
    assert (rows["IBM"]["status"], rows["IBM"]["rows"]) == ("new", 3270)
    assert (rows["IBM"]["first"], rows["IBM"]["last"]) == ("2000-03-01", "2013-03-01")
    assert rows["BRK.B"]["reason"] == "BRK.B is not a Yahoo symbol: did you mean BRK-B?"
    *lines, step = done.stderr.splitlines()
    assert len(lines) == 3  # a row a ticker; no log line, no warning of the client's
    assert all("Yahoo" in line or "IBM" in line for line in lines)
    assert step == f"Next: forecast predict IBM --data-dir {tmp_path}"


@pytest.mark.parametrize("home", [None, "", "home"], ids=["unset", "empty", "relative"])
def test_a_user_without_a_home_fetches_without_a_cache(home: str | None, server: YahooServer, tmp_path: Path) -> None:
    code = "sys.argv = sys.argv[3:]\nfrom tests.yahoo import driver\nsys.exit(driver.main())"
    words = _command("run", server, {}, "fetch", "IBM", "--quiet", "--format", "json", "--data-dir", "store")
    done = homeless(code, *words, cwd=tmp_path, home=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["status"] == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_nothing_done_is_exit_code_four_and_a_bad_symbol_two(server: YahooServer, tmp_path: Path) -> None:
    done = _run(server, "fetch", "NOSUCH", "--quiet", "--data-dir", str(tmp_path))
    assert done.returncode == 4
    assert "NOSUCH: Yahoo says: No data found, symbol may be delisted." in done.stdout
    assert done.stderr == ""


def test_the_summary_fits_eighty_columns(server: YahooServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    server.put(sample()["AAPL"].changed(5, close=float("nan")))
    server.fail("FB", status(401))
    done = _run(server, "fetch", "AAPL", "FB", "IBM", "--data-dir", str(tmp_path))
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ticker", "status", "rows", "new", "first", "last"]
    assert lines[1].split() == ["AAPL", "new", "3,269", "3,269", "2000-03-01", "2013-03-01"]
    assert "AAPL: 1 row without a price dropped" in [line.strip() for line in lines]
    assert lines[-1] == "2 new, 1 failed"


def test_the_help_needs_neither_pandas_nor_the_client_and_a_fetch_no_torch(tmp_path: Path) -> None:
    heavy = "[name for name in ('pandas', 'yfinance', 'torch') if name in sys.modules]"
    code = (
        "import sys; from forecaster.cli import run; run(['--help']); run(['fetch', '--help']); "
        f"print({heavy}, file=sys.stderr); "
        f"run(['fetch', '--source', 'sample', '--quiet', '--data-dir', {str(tmp_path)!r}]); "
        f"print({heavy}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["[]", "['pandas']"]
