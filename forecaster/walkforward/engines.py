"""Where folds, trials and networks are done: `local` or `ray`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

from forecaster.config.schema import Config
from forecaster.cores import cores
from forecaster.errors import InputError, UnknownNameError
from forecaster.training.launch import ranks
from forecaster.walkforward.cluster import ray_engine, require_ray
from forecaster.walkforward.processes import Engine, in_processes

if TYPE_CHECKING:
    from forecaster.training.networks import Job, Order

EngineName = Literal["local", "ray"]
Elsewhere = Callable[["Job", "Order"], None]
"""Has the networks of an order trained by other processes, see `training.networks.Job`."""


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
    if name != "local" and ranks().size > 1:
        raise InputError(f"--engine {name} has whole networks trained, torchrun shares each one's batches: use one.")


def engine_of(name: str, workers: int | None, config: Config) -> contextlib.AbstractContextManager[Engine]:
    """The engine of this name, see `require_engine`; it starts while its user prepares what the tasks need.

    Args:
        workers: tasks at a time; one for each core, or for each CPU of the cluster, if absent.
    """
    if name == "ray":
        return ray_engine(workers)
    return contextlib.nullcontext(Engine(in_processes, lambda: workers or _workers(config)))


@contextlib.contextmanager
def elsewhere_of(name: str, workers: int | None, config: Config) -> Iterator[Elsewhere | None]:
    """What has a training's networks trained by this engine; None where its own process trains them, in threads."""
    if name == "local":
        yield None
        return
    from forecaster.walkforward.member import train_elsewhere

    with engine_of(name, workers, config) as engine:
        yield partial(train_elsewhere, engine)


def _workers(config: Config) -> int:
    """One process for each core; one on a GPU, where sharing is no faster and each process needs its own memory."""
    from forecaster.training.device import choose_device

    return cores() if choose_device(config.training.device).type == "cpu" else 1
