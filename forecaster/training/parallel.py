"""Several trainings in parallel threads, each with the same bytes as alone."""

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
"""One training: takes `report`, returns its curve."""


def train_in_parallel(trainings: Sequence[Training], workers: int, report: Report) -> list[list[CurvePoint]]:
    """Run trainings in threads (torch releases the GIL); an interrupt or an error stops them all.

    Args:
        workers: most trainings at a time.
        report: called with the step that all have reached, and with the mean of their curve points there.

    Returns:
        The curve of each.
    """
    joint = _JointReport(len(trainings), report)
    # Both settings are process-wide: entered here, so that no thread restores them while others run.
    with one_thread(), torch.random.fork_rng(devices=[]), ThreadPoolExecutor(workers) as pool:
        try:
            running = [pool.submit(joint.run, place, training) for place, training in enumerate(trainings)]
            for done in as_completed(running):
                done.result()
        except BaseException:
            joint.stop()
            raise
    return [one.result() for one in running]


def max_parallel(networks: Sequence[Network], sampler: Sampler, limit: int | None = None) -> int:
    """One training a core, up to a limit; 1 if a network draws random numbers (dropout) or is not on the CPU.

    torch has one random stream for all threads: with dropout, parallel trainings would disturb each other.
    """
    if (
        1 in (len(networks), limit)
        or sampler.device.type != "cpu"
        or any(_draws_random_numbers(network, sampler) for network in networks)
    ):
        return 1
    return min(len(networks), limit or cores())


def _draws_random_numbers(network: Network, sampler: Sampler) -> bool:
    # By running it: a plugin's body may draw numbers without having a dropout module.
    batch = sampler.draw(1, torch.Generator())
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        before = torch.get_rng_state()
        copy.deepcopy(network).train()(batch.inputs, sampler.span)  # a copy: a forward pass may change the module
        return not torch.equal(before, torch.get_rng_state())


class _StoppedError(Exception):
    """Another training failed or was interrupted."""


class _JointReport:
    """Merges the reports of several trainings into one."""

    def __init__(self, count: int, report: Report) -> None:
        self._report = report
        self._steps = [0] * count
        self._running = set(range(count))
        self._points: dict[int, list[CurvePoint]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Stop every training at its next step."""
        self._stopping.set()

    def run(self, place: int, training: Training) -> list[CurvePoint]:
        """Run one of the trainings, in its thread."""

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
        """The step that all running trainings have reached."""
        return min(self._steps[place] for place in self._running)


def _mean(step: int, points: Sequence[CurvePoint]) -> CurvePoint:
    skills = [point.skill for point in points if point.skill is not None]
    skill = sum(skills) / len(skills) if skills else None
    return CurvePoint(step, sum(point.loss for point in points) / len(points), skill=skill)
