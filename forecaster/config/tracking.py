"""The section `tracking` of a run's YAML: where a finished run is also recorded."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from forecaster.config.section import Section


def _tracking_uri(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if not re.fullmatch(r"[a-z][a-z0-9+-]+", scheme) or not rest:
        raise ValueError("expected the address of a server, such as http://localhost:5000")
    if "@" in rest.partition("/")[0]:  # it would be written into the run's config.yaml
        raise ValueError("no password in it: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead")
    return text


class TrackingConfig(Section):
    """Where `forecast train` also records a finished run; no forecast depends on it."""

    tensorboard: bool = False
    """Write curve, scorecard and config for TensorBoard into the run's folder; extra `tensorboard`."""
    mlflow: Annotated[str, AfterValidator(_tracking_uri)] | None = None
    """Address of an MLflow server, such as http://localhost:5000, that gets them and the model file; extra `mlflow`."""
