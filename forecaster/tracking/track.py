"""Records a finished run wherever its config says; never the reason why a training fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec

from forecaster.config.tracking import TrackingConfig
from forecaster.errors import InputError
from forecaster.events import Say
from forecaster.release import DISTRIBUTION
from forecaster.tracking.events import write_events
from forecaster.tracking.record import Record
from forecaster.tracking.server import send


def require_trackers(wanted: TrackingConfig) -> None:
    """Checks before a training that its run can be recorded.

    Raises:
        InputError: the library of a tracker is not installed.
    """
    named = {"tensorboard": wanted.tensorboard, "mlflow": wanted.mlflow}
    for library, value in named.items():
        if value and find_spec(library) is None:
            shown = "true" if value is True else value
            raise InputError(
                f"tracking.{library} is {shown}, but {library} is not installed: "
                f"pip install '{DISTRIBUTION}[{library}]', or leave the key out."
            )


def track(record: Record, wanted: TrackingConfig, say: Say = lambda _: None) -> list[str]:
    """Records a run; a sentence for each tracker that could not."""
    notes = []
    if wanted.tensorboard:
        say("writing the run's events for TensorBoard")
        notes += _attempt("tensorboard", "true", lambda: write_events(record))
    if (uri := wanted.mlflow) is not None:
        say(f"sending the run to {uri}")
        notes += _attempt("mlflow", uri, lambda: send(record, uri))
    return notes


def _attempt(key: str, value: str, work: Callable[[], None]) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries that the user did not choose
            work()
    except Exception as error:  # whatever it is: the run is finished, and must stay so
        reason = " ".join(str(error).split())
        shown = reason if len(reason) <= 160 else f"{reason[:157]}..."
        return [f"tracking.{key} is {value}, but the run was not recorded there ({shown}). The run itself is complete."]
    return []
