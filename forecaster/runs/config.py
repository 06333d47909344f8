"""Reads and checks configs: names of feature groups, models and baselines, and the shape of the task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from forecaster.baselines import BASELINES
from forecaster.config.document import Document, Settings, setting_texts
from forecaster.config.load import read_document, validate
from forecaster.config.schema import Config, ModelConfig
from forecaster.errors import ConfigError, UnknownNameError
from forecaster.features import GROUPS
from forecaster.models.build import model_names, parameters, resolved_model, total_problems
from forecaster.registry import Registry
from forecaster.runs.shapes import shape_problems
from forecaster.runs.space import space_problems


def load_config(config: str | Path, settings: Settings = ()) -> Config:
    """Reads and checks a config: a path or a shipped config's name, with settings (`KEY=VALUE` texts or a dict) on top.

    Raises:
        ConfigError: every problem found, each with file, line, key, value, expectation and the nearest valid name.
        UnknownNameError: no such file or shipped config.
    """
    document = read_document(str(config), setting_texts(settings))
    checked = check_document(document)
    if problems := list(space_problems(checked, document, check_document)):
        raise ConfigError(problems)
    return checked


def check_document(document: Document) -> Config:
    """Checks a document whatever `forecast tune` is to search; the config with all model parameters filled in.

    Raises:
        ConfigError: as `load_config`.
    """
    checked = _with_fitting_calibration(validate(document), document)
    problems = [
        *_unknown_names(document, ("features",), checked.features, GROUPS),
        *_unknown_names(document, ("evaluation", "baselines"), checked.evaluation.baselines, BASELINES),
        *shape_problems(checked, document),
    ]
    resolved = []
    for index, network in enumerate(checked.networks):
        try:
            path = ("model",) if checked.model else ("members", index)
            resolved.append(resolved_model(network, checked.task, document, path))
        except ConfigError as error:
            problems += error.problems
    if len(resolved) > 1:
        problems += total_problems(resolved, document)
    problems += _calibration_problems(checked, document)
    if problems:
        raise ConfigError(problems)
    return checked.model_copy(update={"model": resolved[0]} if checked.model else {"members": tuple(resolved)})


def _with_fitting_calibration(config: Config, document: Document) -> Config:
    """Drops the file's calibration steps that are not in a horizon changed with --set."""
    explicit, changed = (
        document.place(key).startswith("--set") for key in (("calibration", "steps"), ("task", "horizon"))
    )
    if explicit or not changed:
        return config
    steps = tuple(step for step in config.calibration.steps if step in config.task.steps)
    update = {"steps": steps} if steps else {"rolling": False}
    return config.model_copy(update={"calibration": config.calibration.model_copy(update=update)})


def _calibration_problems(config: Config, document: Document) -> Iterator[str]:
    foreign = [step for step in config.calibration.steps if step not in config.task.steps]
    if config.calibration.rolling and foreign:
        place, steps = document.place(("calibration", "steps")), ", ".join(map(str, config.task.steps))
        yield f"{place}: calibration.steps has {foreign[0]}, which is not a step of task.horizon: choose among {steps}."


def config_schema() -> dict[str, Any]:
    """The JSON Schema for completion in editors, with registered names and each model's parameters."""
    schema = Config.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    definitions = schema["$defs"]
    definitions["ModelConfig"] = {
        "description": "The network: a registered name and its own parameters.",
        "oneOf": [_model_schema(name) for name in model_names()],
    }
    schema["properties"]["features"]["items"] = {"enum": list(GROUPS.names())}
    definitions["EvaluationConfig"]["properties"]["baselines"]["items"] = {"enum": list(BASELINES.names())}
    return schema


def _model_schema(name: str) -> dict[str, Any]:
    schema = parameters(name).model_json_schema()
    own = ModelConfig.model_json_schema()["properties"]
    schema["properties"] = {"name": {"const": name}, "weight": own["weight"]} | schema.get("properties", {})
    schema["required"] = ["name"]
    return schema


def _unknown_names(
    document: Document, path: tuple[str, ...], names: Iterable[str], registry: Registry[Any]
) -> Iterator[str]:
    for index, name in enumerate(names):
        if name not in registry:
            place = document.place((*path, index))
            yield f"{place}: {UnknownNameError(registry.kind, name, registry.names())}"
