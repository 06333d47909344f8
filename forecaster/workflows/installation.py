"""Checks of the installation and of the store, for `forecast doctor`."""

from __future__ import annotations

import contextlib
import datetime as dt
import platform
import re
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from forecaster.data import calendars
from forecaster.data.store import Store
from forecaster.errors import DataError, ForecasterError, at_most_five
from forecaster.evaluation.canaries import FAILED, PASSED, SKIPPED, Check
from forecaster.release import DISTRIBUTION
from forecaster.workflows.verify import verify

_FLOOR = re.compile(r"([A-Za-z0-9._-]+)>=([0-9.]+)")


def check_installation(data_dir: Path, runs_dir: Path) -> Iterator[Check]:
    """Python, libraries, device, folders and calendars."""
    yield _python()
    yield _libraries()
    yield _device()
    yield _folder("store folder", data_dir, "--data-dir or $FORECASTER_DATA_DIR")
    yield _folder("runs folder", runs_dir, "--runs-dir or $FORECASTER_RUNS_DIR")
    yield _calendars(Store(data_dir))


def check_store(data_dir: Path) -> Check:
    """Summary of `forecast data verify`."""
    expected, meaning = "every file undamaged, no candle that looks wrong", "Everything else depends on the candles."
    if not Store(data_dir).tickers():
        remedy = f"{data_dir.absolute()} holds no candles yet: forecast fetch --source sample"
        return Check("store", "candles", SKIPPED, 0.0, remedy, expected, meaning)
    findings = verify(data_dir)
    count = len(Store(data_dir).tickers())
    if not findings:
        return Check("store", "candles", PASSED, 0.0, f"{count} tickers, nothing found", expected, meaning)
    named = at_most_five(f"{finding.ticker} {finding.kind}" for finding in findings)
    tickers = f"{count} ticker{'s' * (count > 1)}"
    measured = f"{len(findings)} finding{'s' * (len(findings) > 1)} in {tickers} ({named}): see forecast data verify"
    return Check("store", "candles", FAILED, float(len(findings)), measured, expected, meaning)


def _installed(name: str, ok: bool | None, value: float | None, measured: str, expected: str, meaning: str) -> Check:
    status = SKIPPED if ok is None else PASSED if ok else FAILED
    return Check("installation", name, status, value, measured, expected, meaning)


def _python() -> Check:
    here, wanted = platform.python_version(), "3.11"
    with contextlib.suppress(metadata.PackageNotFoundError):
        wanted = (metadata.metadata(DISTRIBUTION)["Requires-Python"] or wanted).removeprefix(">=")
    ok = _numbers(here) >= _numbers(wanted)
    return _installed(
        "python", ok, None, here, f"{wanted} or newer", "Older versions lack features that the code uses."
    )


def _libraries() -> Check:
    name, meaning = "libraries", "Older libraries have not been tested."
    expected = "each at or above the version that the package requires"
    try:
        wanted = [match.groups() for line in metadata.requires(DISTRIBUTION) or () if (match := _FLOOR.fullmatch(line))]
    except metadata.PackageNotFoundError:
        return _installed(name, None, None, "the package is imported from a folder, not installed", expected, meaning)
    problems = [text for library, floor in wanted if (text := _problem(library, floor))]
    versions = ", ".join(f"{library} {metadata.version(library)}" for library in ("torch", "numpy") if not problems)
    measured = (
        f"{'; '.join(problems)}: pip install --upgrade them" if problems else f"{len(wanted)} found: {versions}, …"
    )
    return _installed(name, not problems, float(len(problems)), measured, expected, meaning)


def _problem(library: str, floor: str) -> str:
    """What is wrong with a library; empty if it is fine."""
    try:
        here = metadata.version(library)
    except metadata.PackageNotFoundError:
        return f"{library} is missing"
    return "" if _numbers(here) >= _numbers(floor) else f"{library} is {here}, {floor} is required"


def _numbers(version: str) -> tuple[int, ...]:
    """The release part of a version, such as (2, 6, 0) of `2.6.0+cpu`."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match.group().split("."))) if match else ()


def _device() -> Check:
    name, expected, meaning = "device", "torch works", "Where `training.device: auto` trains; forecasts need no torch."
    try:
        from forecaster.training.device import choose_device

        measured = f"auto is {choose_device('auto')}"
    except (ImportError, OSError, RuntimeError) as error:
        return _installed(name, False, None, f"torch cannot be used: {str(error).splitlines()[0]}", expected, meaning)
    return _installed(name, True, None, measured, expected, meaning)


def _folder(name: str, folder: Path, option: str) -> Check:
    """Tests by writing a file to the folder or, if it does not exist yet, to its nearest existing parent."""
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    expected, meaning = "can be written", "Fetched candles and trained runs are stored here."
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        measured = f"{place}: {error.strerror or error}; name another one: {option}"
        return _installed(name, False, None, measured, expected, meaning)
    return _installed(name, True, None, f"{folder}{'' if folder.exists() else ', not created yet'}", expected, meaning)


def _calendars(store: Store) -> Check:
    names = {calendars.DEFAULT}
    for ticker in store.tickers():
        with contextlib.suppress(DataError):  # reported by the check of the store
            names.add(store.record(ticker).calendar)
    wrong = [text for name in sorted(names) if (text := _calendar_fault(name))]
    following = calendars.next_opening(calendars.DEFAULT, dt.datetime.now(dt.UTC))
    measured = "; ".join(wrong) or f"{', '.join(sorted(names))}; {calendars.DEFAULT} opens next on {following}"
    meaning = "Steps are sessions of each ticker's exchange."
    return _installed("calendars", not wrong, float(len(wrong)), measured, "every exchange's sessions known", meaning)


def _calendar_fault(name: str) -> str:
    try:
        calendars.check_calendar(name)
    except ForecasterError as error:
        return str(error)
    if calendars.computable(name):
        return ""
    return f"{name} cannot be computed by the installed exchange_calendars and pandas: its week is taken, no holidays"
