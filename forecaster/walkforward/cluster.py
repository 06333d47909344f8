"""Has tasks done by Ray, on this machine or on a cluster whose nodes see the folder.

A task carries the folder's name and a number; candles and features are mapped from the folder by each worker.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from forecaster.cores import cores
from forecaster.errors import ForecasterError, InputError, OutsideError
from forecaster.release import DISTRIBUTION
from forecaster.walkforward.processes import ERRORS, Engine, OnAnswer, Work
from forecaster.walkforward.worker import Answer

ADDRESS = "RAY_ADDRESS"
"""The environment variable that names a cluster, `HOST:PORT`; without it Ray starts on this machine."""

RETRIES = 3
"""How often a task is begun again whose worker was lost."""

_THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
_PATIENCE = 5.0
"""Seconds to wait for an answer from the cluster's address: Ray itself would wait for minutes."""

_GRACE = 5.0
"""Seconds that an interrupted task has to end."""

_STORE = 100_000_000
"""Bytes of Ray's object store, which it asks for at least, and which stays empty."""


def require_ray() -> None:
    """Raises:
    InputError: Ray is not installed.
    OutsideError: nobody answers at the cluster's address.
    """
    if find_spec("ray") is None:
        raise InputError(f"--engine ray needs Ray, which is not installed: pip install '{DISTRIBUTION}[ray]'.")
    _require_answer(os.environ.get(ADDRESS, ""))


@contextlib.contextmanager
def ray_engine(workers: int | None) -> Iterator[Engine]:
    """A cluster to do tasks, left at the end; one that was started for it is ended.

    Args:
        workers: tasks at a time; one for each CPU of the cluster if absent.

    Raises:
        OutsideError: the cluster cannot be reached: at once if nobody answers at its address, else when it is used.
    """
    address = os.environ.get(ADDRESS, "")
    _require_answer(address)  # here, not in the thread: features may be computed before anyone asks what became of it
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before the import
    # Ray prints on standard output that it lost a worker, in the middle of a result as JSON. It starts in a thread, as
    # that takes seconds; which lives as long as Ray, whose processes end with the thread that started them (prctl).
    with contextlib.redirect_stdout(sys.stderr), ThreadPoolExecutor(1) as thread:
        start = thread.submit(_connect, address, workers)
        try:
            yield Engine(partial(_in_ray, start), start.result)
        finally:
            wait([start])
            import ray

            ray.shutdown()


def _connect(address: str, workers: int | None) -> int:
    """Reaches the cluster; how many tasks it does at a time."""
    import ray

    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    threads = {"runtime_env": {"env_vars": {**_THREADS, "RAY_USAGE_STATS_ENABLED": "0"}}}
    if not address or address == "local":
        if all(os.environ.get(name, "1") == "1" for name in _THREADS):
            threads = {}  # as Ray itself has it for a task of one CPU: workers that it holds ready can be used at once
        os.environ.setdefault("RAY_worker_niceness", "0")  # as our processes have it; 15 is Ray's own
        here = {"num_cpus": workers or cores(), "include_dashboard": False, "object_store_memory": _STORE}
        ray.init(address="local", **here, **threads, **quiet)
    else:
        with _unreachable(address):
            ray.init(address=address, **threads, **quiet)
    return workers or max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextlib.contextmanager
def _unreachable(address: str) -> Iterator[None]:
    """Turns what connecting to a cluster raises into an OutsideError."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        remedy = f"start it with `ray start --head`, or unset {ADDRESS} to use this machine"
        raise OutsideError(f"{ADDRESS} {address}: no Ray cluster can be reached: {reason}; {remedy}.") from error


def _require_answer(address: str) -> None:
    """Raises an OutsideError if nobody answers at a cluster's address; without one there is nobody to ask."""
    with _unreachable(address):
        _knock(address)


def _knock(address: str) -> None:
    """Raises an OSError or a ValueError at once if nobody listens at `HOST:PORT`."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


def _in_ray(
    start: Future[int],
    work: Work,
    folder: Path,
    numbers: Sequence[int],
    workers: int,
    on_answer: OnAnswer,
    more: Callable[[], bool] = lambda: True,
    free: Callable[[int], bool] = lambda _: True,
) -> None:
    """Has tasks done by Ray's workers, as `in_processes` does by ours; a task whose worker is lost is begun again.

    Args:
        start: done once Ray is reached.

    Raises:
        ForecasterError: the error that a task raised, with its exit code; or a bug in it.
        OutsideError: a task's workers were lost, again and again.
    """
    start.result()
    import ray

    task = ray.remote(num_cpus=1, max_retries=RETRIES)(do_task)
    waiting, running = iter(numbers), dict[Any, int]()
    try:
        while True:
            while len(running) < workers and more() and (number := next(filter(free, waiting), None)) is not None:
                running[task.remote(work.module, str(folder.resolve()), number)] = number
            if not running:
                return
            (done, *_), _ = ray.wait(list(running))
            number = running.pop(done)
            _check(work, number, done)
            on_answer(number, {"share": 1.0})
    finally:
        _cancel(list(running))


def _cancel(running: Sequence[Any]) -> None:
    """Interrupts tasks, as Ctrl-C would, so that they give back what they hold; kills those that do not end."""
    import ray

    for one in running:
        ray.cancel(one, force=False)
    _, left = ray.wait(running, num_returns=len(running), timeout=_GRACE) if running else ((), ())
    for one in left:
        ray.cancel(one, force=True)


def _check(work: Work, number: int, done: Any) -> None:
    """Raises the error of a task, if it has one."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    name, kept = f"{work.task} {number + 1}", f"finished {work.task}s are kept: run the same command again to continue"
    try:
        answer = ray.get(done)
    except RayTaskError as error:
        last = (str(error).strip().splitlines() or ["no message"])[-1]
        raise ForecasterError(f"{name}: this is a bug: {last}; {kept}.") from error
    except RayError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OutsideError(f"{name}: its Ray worker was lost {RETRIES + 1} times ({reason}); {kept}.") from error
    if answer is not None:
        raise ERRORS[answer["code"]](answer["error"])


def do_task(module: str, folder: str, number: int) -> dict[str, Any] | None:
    """Does one task in a worker of Ray; its error, if it has one."""
    import torch

    from forecaster.memory import tuned_allocator

    torch.set_num_threads(1)
    try:
        with tuned_allocator():
            _begun(module, folder)(number, lambda **_: None)
    except ForecasterError as error:
        return {"error": str(error), "code": error.exit_code}
    return None


@lru_cache(maxsize=1)
def _begun(module: str, folder: str) -> Callable[[int, Answer], None]:
    """What does the tasks of a folder: a worker loads it once."""
    if not Path(folder).is_dir():
        where = f"on Ray's node {socket.gethostname()}"
        raise OutsideError(f"{folder} is not there {where}: name a --runs-dir that all nodes share.")
    begin: Callable[[Path], Callable[[int, Answer], None]] = import_module(module).begin
    return begin(Path(folder))
