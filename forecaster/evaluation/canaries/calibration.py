"""Do the bands cover as many outcomes as they claim?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forecaster.evaluation import metrics
from forecaster.evaluation.canaries import CANARIES, Check, RunUnderTest, check
from forecaster.evaluation.scores import SHARES
from forecaster.evaluation.significance import by_date, standard_error

_ERRORS = 2.0
"""A band is off beyond this many standard errors, as in the verdict's sentence."""

_BROKEN = 0.15
"""A coverage error that calmer or more volatile years cannot explain: the bands are computed wrongly."""


@CANARIES.register("calibration")
def calibration(run: RunUnderTest) -> Check:
    """Compares the coverage of the central bands at each step, averaged over the four prices, with the nominal one."""
    bands = list(_coverages(run))
    wrong = [one for one in bands if abs(one[2]) > _ERRORS * one[3]]
    share, step, off, error = max(wrong or bands, key=lambda one: abs(one[2]), default=(0.0, 0, 0.0, 0.0))
    header = run.model.header
    seen = run.split.validation_end < header.fitted_to
    note = f"; but the run was fitted to {header.fitted_to}, so the test period is in-sample" if seen else ""
    return check(
        "calibration",
        not wrong if bands else None,
        off if bands else None,
        broken=abs(off) > _BROKEN,
        measured=(
            f"{len(wrong)} of {len(bands)} bands are off; the {share:.0%} band at step {step} held {share + off:.1%} "
            f"(standard error {error:.1%}){note}"
            if bands
            else "a forecast without spread has no bands"
        ),
        expected=f"each within {_ERRORS:g} standard errors of its nominal coverage",
        meaning=(
            "The bands of the test period covered about as many outcomes as they should.",
            f"The bands were too {'narrow' if off < 0 else 'wide'} in the test period: read them with that in mind.",
        )
        if bands
        else "Without bands there is nothing to calibrate.",
    )


def _coverages(run: RunUnderTest) -> Iterator[tuple[float, int, float, float]]:
    """Yields nominal coverage, step, actual − nominal coverage, and its standard error over dates."""
    dataset, rows = run.dataset, run.rows
    if not np.ptp(run.quantiles, axis=-1).any():
        return
    dates, known = dataset.panel.sessions[rows], dataset.known(rows, run.split.test)
    outcomes = np.nan_to_num(dataset.moves(rows))
    for share in SHARES:
        held = metrics.inside(run.quantiles, outcomes, run.levels, share)
        if held is None:
            continue
        for place, step in enumerate(dataset.steps):
            hits = held[:, place].mean(axis=-1)
            off = float(hits[known[:, place]].mean()) - share
            yield share, step, off, standard_error(by_date(hits, dates, known[:, place]), step)[0]
