"""Do the bands hold as many outcomes as they say?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forecaster.evaluation import metrics
from forecaster.evaluation.canaries import CANARIES, Check, Patient, found
from forecaster.evaluation.scores import SHARES
from forecaster.evaluation.significance import by_date, standard_error

_ERRORS = 2.0
"""Standard errors from which a band is off, as in the verdict's line."""

_BROKEN = 0.15
"""Share from which bands are not merely of calmer or wilder years: they are made wrongly."""


@CANARIES.register("calibration")
def calibration(patient: Patient) -> Check:
    """Coverage of the central bands at each step, mean of the four prices, beside what they should hold."""
    bands = list(_coverages(patient))
    wrong = [one for one in bands if abs(one[2]) > _ERRORS * one[3]]
    share, step, off, error = max(wrong or bands, key=lambda one: abs(one[2]), default=(0.0, 0, 0.0, 0.0))
    header = patient.model.header
    seen = patient.split.validation_end < header.fitted_to
    note = f"; but the test lies in what the run was fitted to ({header.fitted_to}): it is none" if seen else ""
    return found(
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
        expected=f"each within {_ERRORS:g} standard errors of its share",
        meaning=(
            "The bands of the test period held about as many outcomes as they say.",
            f"The bands were too {'narrow' if off < 0 else 'wide'} in the test period: read them with that in mind.",
        )
        if bands
        else "Without bands there is nothing that could be calibrated.",
    )


def _coverages(patient: Patient) -> Iterator[tuple[float, int, float, float]]:
    """Share, step, coverage − share, and its standard error over dates."""
    dataset, rows = patient.dataset, patient.rows
    if not np.ptp(patient.quantiles, axis=-1).any():
        return
    dates, known = dataset.panel.sessions[rows], dataset.known(rows, patient.split.test)
    outcomes = np.nan_to_num(dataset.moves(rows))
    for share in SHARES:
        held = metrics.inside(patient.quantiles, outcomes, patient.levels, share)
        if held is None:
            continue
        for place, step in enumerate(dataset.steps):
            hits = held[:, place].mean(axis=-1)
            off = float(hits[known[:, place]].mean()) - share
            yield share, step, off, standard_error(by_date(hits, dates, known[:, place]), step)[0]
