"""Where folds and trials are done: `local` or `ray`."""

from __future__ import annotations

import contextlib
from typing import Literal

from forecaster.config.schema import Config
from forecaster.cores import cores
from forecaster.errors import UnknownNameError
from forecaster.walkforward.cluster import ray_engine, require_ray
from forecaster.walkforward.processes import Engine, in_processes

EngineName = Literal["local", "ray"]


def require_engine(name: str) -> None:
    """Checks before any work that an engine is there.

    Raises:
        UnknownNameError, InputError: there is no such engine, or it is not installed.
        OutsideError: its cluster cannot be reached.
    """
    if name == "ray":
        require_ray()
    elif name != "local":
        raise UnknownNameError("engine", name, ("local", "ray"))


def engine_of(name: str, workers: int | None, config: Config) -> contextlib.AbstractContextManager[Engine]:
    """The engine of this name, see `require_engine`.

    Args:
        workers: tasks at a time; one for each core, or for each CPU of the cluster, if absent.
    """
    if name == "ray":
        return ray_engine(workers)
    return contextlib.nullcontext(Engine(in_processes, workers or _workers(config)))


def _workers(config: Config) -> int:
    """One process for each core; one on a GPU, where sharing is no faster and each process needs its own memory."""
    from forecaster.training.device import choose_device

    return cores() if choose_device(config.training.device).type == "cpu" else 1
