"""Trains along with another process: what ranks 1, 2, … do while rank 0 runs `train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.config.schema import Config
from forecaster.memory import tuned_allocator
from forecaster.runs.prepare import prepare

if TYPE_CHECKING:
    from forecaster.training.ranks import Ranks
    from forecaster.trial import Trial


@tuned_allocator()
def follow(ranks: Ranks) -> None:
    """Does what rank 0 orders until it dismisses this process; writes and says nothing.

    Raises:
        LostRankError: rank 0 ended.
        ForecasterError: this process cannot do its part.
    """
    from forecaster.training.along import learn_along

    trial: Trial | None = None
    while (order := ranks.receive())["order"] != "end":
        if order["order"] == "prepare":
            trial = prepare(Config.model_validate_json(order["config"]), Path(order["data_dir"]))
        else:
            assert trial is not None, "rank 0 has every process prepare first"
            learn_along(trial, order, ranks)
