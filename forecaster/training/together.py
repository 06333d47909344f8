"""Several trainings side by side, each to the same bytes as alone."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import torch

from forecaster.cores import cores
from forecaster.models.network import Network
from forecaster.models.threads import one_thread
from forecaster.training.files import CurvePoint
from forecaster.training.fit import Report
from forecaster.training.sampling import Sampler

Training = Callable[..., list[CurvePoint]]
"""One training: takes `report`, gives its curve."""


def side_by_side(trainings: Sequence[Training], workers: int, report: Report) -> list[list[CurvePoint]]:
    """Run trainings in threads, which torch lets work at the same time; an interrupt or an error ends them all.

    Args:
        workers: at most so many at once.
        report: called with the step that all have reached, and with the mean of their points of the curve there.

    Returns:
        The curve of each.
    """
    together = _Together(len(trainings), report)
    # Both are settings of the whole process: entered here, so that no thread restores them under another.
    with one_thread(), torch.random.fork_rng(devices=[]), ThreadPoolExecutor(workers) as pool:
        try:
            running = [pool.submit(together.run, place, training) for place, training in enumerate(trainings)]
            for done in as_completed(running):
                done.result()
        except BaseException:
            together.stop()
            raise
    return [one.result() for one in running]


def most_at_once(networks: Sequence[Network], sampler: Sampler, limit: int | None = None) -> int:
    """A training a core, up to a limit; one where a network draws random numbers or is not on the processor.

    torch keeps one stream of random numbers for all threads: with dropout the trainings would disturb each other.
    """
    if (
        1 in (len(networks), limit)
        or sampler.device.type != "cpu"
        or any(_draws_random_numbers(network, sampler) for network in networks)
    ):
        return 1
    return min(len(networks), limit or cores())


def _draws_random_numbers(network: Network, sampler: Sampler) -> bool:
    batch = sampler.draw(1, torch.Generator())
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        before = torch.get_rng_state()
        copy.deepcopy(network).train()(batch.inputs, sampler.span)  # a copy: a forward pass may leave its traces
        return not torch.equal(before, torch.get_rng_state())


class _StoppedError(Exception):
    """Another of the trainings failed or was interrupted."""


class _Together:
    """Joins the reports of several trainings into one."""

    def __init__(self, count: int, report: Report) -> None:
        self._report = report
        self._steps = [0] * count
        self._running = set(range(count))
        self._points: dict[int, list[CurvePoint]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End every training at its next step."""
        self._stopping.set()

    def run(self, place: int, training: Training) -> list[CurvePoint]:
        """One of the trainings, from its thread."""

        def report(step: int, point: CurvePoint | None) -> None:
            if self._stopping.is_set():
                raise _StoppedError
            with self._lock:
                self._note(place, step, point)

        curve = training(report=report)
        with self._lock:
            self._running.discard(place)
        return curve

    def _note(self, place: int, step: int, point: CurvePoint | None) -> None:
        before = self._reached()
        self._steps[place] = step
        if self._reached() > before:
            self._report(self._reached(), None)
        if point is None:
            return
        points = self._points.setdefault(step, [])
        points.append(point)
        if self._reached() >= step:
            self._report(step, _mean(step, points))

    def _reached(self) -> int:
        """The step that all have reached which still run."""
        return min(self._steps[place] for place in self._running)


def _mean(step: int, points: Sequence[CurvePoint]) -> CurvePoint:
    skills = [point.skill for point in points if point.skill is not None]
    skill = sum(skills) / len(skills) if skills else None
    return CurvePoint(step, sum(point.loss for point in points) / len(points), skill=skill)
