"""The command line with the real source against a server; a process of its own, to be killed and interrupted.

driver.py run PORT NOW PATIENCE_JSON ARGUMENT…      runs one command
driver.py modules PORT NOW PATIENCE_JSON ARGUMENT…  runs one command and says which packages it imported
driver.py killed PORT NOW PATIENCE_JSON ARGUMENT…   for each line on standard input starts the command in a child and
                                                    says its number, to be killed; at the next line says its exit code
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import sys
import tempfile
from pathlib import Path

from forecaster.cli import run
from forecaster.data.sources import SOURCES, Source, SourceOptions
from forecaster.data.sources.yahoo.pacing import RetrySettings
from forecaster.data.sources.yahoo.source import YahooSource
from tests.yahoo.server import session


def main() -> int:
    mode, port, now, retry_settings, *arguments = sys.argv[1:]
    clock = dt.datetime.fromisoformat(now)
    home = Path(os.environ.get("HOME", ""))
    folder = Path(tempfile.mkdtemp()) if home.is_absolute() else None  # without a home, the source's own choice

    def source(options: SourceOptions) -> Source:
        with_session = dataclasses.replace(options, session=session(int(port)))
        return YahooSource(
            with_session, retry_settings=RetrySettings(**json.loads(retry_settings)), folder=folder, now=lambda: clock
        )

    assert "yahoo" in SOURCES
    SOURCES._members["yahoo"] = source
    if mode == "run":
        return run(arguments)
    if mode == "modules":
        code = run(arguments)
        sys.stdout.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})) + "\n")
        return code
    return _killed(arguments)


def _killed(arguments: list[str]) -> int:
    # What takes long, once, before the children are made: they are to be killed at work, not while they start.
    import yfinance  # noqa: F401

    import forecaster.cli.app
    import forecaster.show.fetch
    import forecaster.workflows.fetch

    forecaster.cli.app.build()

    while sys.stdin.readline():
        child = os.fork()
        if child == 0:
            os._exit(run(arguments))
        _say(child)
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))
    return 0


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
