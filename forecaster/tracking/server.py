"""MLflow: a run's figures and files, on a server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forecaster.config.load import to_yaml
from forecaster.tracking.record import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "forecaster"
"""Name of the experiment, unless MLflow's own variable MLFLOW_EXPERIMENT_NAME has another."""

_ALWAYS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # usage statistics
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is the command's answer
}
_UNLESS_SET = {  # by default MLflow tries for four minutes to reach a server that is not there
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}

_METRICS, _PARAMETERS, _TEXT = 1000, 100, 500
"""What servers take at once: metrics, parameters, and characters of a parameter."""


def send(record: Record, uri: str) -> None:
    """Creates a run on the server and sends curve, scorecard, config and model file.

    Raises:
        Exception: whatever MLflow raises where the server is unreachable or refuses.
    """
    with _environment():
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=uri)
        run = client.create_run(_experiment(client), run_name=record.folder.name).info.run_id
        try:
            _fill(client, run, record)
        except BaseException:
            client.set_terminated(run, "FAILED")  # half of a run must not look like a whole one
            raise
        client.set_terminated(run)


def _experiment(client: MlflowClient) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    found = client.get_experiment_by_name(name)
    return found.experiment_id if found else client.create_experiment(name)


def _fill(client: MlflowClient, run: str, record: Record) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    points = [*record.curve(), *((name, value, 0) for name, value in record.test().items())]
    for some in _parts([Metric(name, value, now, step) for name, value, step in points], _METRICS):
        client.log_batch(run, metrics=some)
    # A long list of tickers is cut short here; config.yaml has all of it.
    parameters = [Param(name, text[:_TEXT]) for name, text in record.settings().items()]
    for some in _parts(parameters, _PARAMETERS):
        client.log_batch(run, params=some)
    client.set_tag(run, "verdict", record.scorecard.verdict.code)
    client.set_tag(run, "mlflow.note.content", record.scorecard.brief)
    client.log_dict(run, record.scorecard.as_data(), "scorecard.json")
    client.log_text(run, to_yaml(record.config), "config.yaml")
    for path in record.files:
        client.log_artifact(run, str(path))


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


@contextmanager
def _environment() -> Iterator[None]:
    """MLflow's settings, which it reads from the environment; afterwards that is as it was."""
    before = dict(os.environ)
    wanted: Mapping[str, str] = _ALWAYS | {name: text for name, text in _UNLESS_SET.items() if name not in before}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]
