"""Each forecast is kept in the journal, and none is stopped by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forecaster.errors import InputError
from forecaster.inference.forecast import Forecast
from forecaster.workflows import runs


def journalled(folder: Path, forecasts: Sequence[Forecast], as_of: bool) -> list[Forecast]:
    """Keep the forecasts of a run in the journal beside it.

    Returns:
        The forecasts themselves, with a warning where they could not be kept.
    """
    if not forecasts:
        return []
    from forecaster.evaluation.journal import JOURNAL, append, entries_of

    try:
        append(folder.parent / JOURNAL, list(entries_of(forecasts, folder / runs.MODEL, as_of)))
    except (InputError, OSError) as error:
        told = f"This forecast is not kept for `forecast score`: {error}"
        return [replace(one, warnings=(*one.warnings, told)) for one in forecasts]
    return list(forecasts)
