"""Checks that the parts of a task fit together: decoder, horizon, head and features."""

from __future__ import annotations

from collections.abc import Iterator

from forecaster.baselines import BASELINES
from forecaster.config.document import Document
from forecaster.config.schema import Config
from forecaster.errors import at_most_five
from forecaster.features import GROUPS, growing_groups


def shape_problems(config: Config, document: Document) -> Iterator[str]:
    """Yields a line for each setting that the task's decoder does not support, with place and remedy."""
    task = config.task
    if task.teacher_forcing and task.decoder != "seq2seq":
        yield (
            f"{document.place(('task', 'teacher_forcing'))}: task.teacher_forcing is {task.teacher_forcing} with "
            f"task.decoder {task.decoder}, which needs none: set decoder to seq2seq, or omit teacher_forcing."
        )
    if task.decoder == "direct":
        return
    baselines = [network.name for network in config.networks if network.name in BASELINES]
    if baselines:
        yield (
            f"{document.place(('task', 'decoder'))}: task.decoder is {task.decoder}, but {at_most_five(baselines)} "
            "is not a network and has no decoder: set decoder to direct, or remove it from the members."
        )
    last = task.steps[-1]
    if task.steps != tuple(range(1, last + 1)):
        yield (
            f"{document.place(('task', 'horizon'))}: task.horizon is {list(task.steps)}, but the decoder "
            f"{task.decoder} goes through every step: set horizon to {last}, or decoder to direct."
        )
    if task.decoder == "recursive":
        yield from _recursive_problems(config, document)


def _recursive_problems(config: Config, document: Document) -> Iterator[str]:
    """A recursive decoder feeds back its own candles (rollout): all features must be computable from candles alone."""
    if config.task.head != "scale":
        yield (
            f"{document.place(('task', 'head'))}: task.head is {config.task.head}, but the decoder recursive rolls a "
            "spread forward: set head to scale, or decoder to direct."
        )
    growing = growing_groups()
    if config.covariates:
        yield (
            f"{document.place(('covariates', 0))}: covariates has {at_most_five(config.covariates)}, but the decoder "
            "recursive forecasts only the ticker's own candles: set task.decoder to direct, or omit covariates."
        )
    foreign = [name for name in config.features if name in GROUPS and name not in growing]
    if foreign:
        them = "them" if len(foreign) > 1 else "it"
        yield (
            f"{document.place(('features', config.features.index(foreign[0])))}: features has "
            f"{at_most_five(foreign)}, but the decoder recursive forecasts only candles and cannot feed {them} back: "
            f"keep only {', '.join(growing)}, or set task.decoder to direct."
        )
