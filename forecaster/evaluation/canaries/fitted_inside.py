"""Was everything that a run has learnt by counting learnt from the days it says?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from forecaster.baselines import FittedBaseline
from forecaster.data.splits import Period
from forecaster.evaluation.canaries import CANARIES, Check, Patient, found
from forecaster.evaluation.canaries.otherwise import panel_after
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, pooled_quantiles
from forecaster.inference.paths import draw_templates

_TOLERANCE = 1e-6
"""Relative to the largest number: a source's revision of dividends changes last bits."""


@CANARIES.register("fitted-inside")
def fitted_inside(patient: Patient) -> Check:
    """Base quantiles, baselines and templates are learnt again, with every later candle replaced by another."""
    kept = _kept(patient)
    inside = _learnt(patient, _other(patient), patient.period)
    apart = {name: _distance(kept[name], again) for name, again in inside.items()}
    worst = max(apart, key=lambda name: apart[name])
    ok: bool | None = apart[worst] <= _TOLERANCE
    changed = "" if patient.same_candles else "; the store's candles are not quite those of the training"
    if not ok and not patient.same_candles:
        # Revised candles move all figures a little: of two explanations the nearer one is taken.
        everything = Period(patient.period.start, patient.split.test_end)
        ok = None if apart[worst] < _distance(kept["base"], _base(patient, patient.dataset, everything)) else False
    return found(
        "fitted-inside",
        ok,
        apart[worst],
        measured=f"{worst}: {apart[worst]:.1g} of its size away from what the days {patient.period} give{changed}",
        expected=f"at most {_TOLERANCE:g}",
        meaning=(
            "Base quantiles, baselines and path templates are what the fitted period alone gives.",
            "Something was fitted on days that the run calls unseen, or was altered afterwards: its test is none."
            if ok is False
            else "The candles have been revised since: train again to have this looked at.",
        ),
    )


def _kept(patient: Patient) -> dict[str, np.ndarray]:
    """What the model file holds."""
    kept = {"base": patient.model.header.base}
    for number, member in _baselines(patient):
        kept |= {_name(number, member, name): array for name, array in member.fitted.items()}
    if patient.model.templates is not None:
        kept["templates"] = patient.model.templates
    return kept


def _learnt(patient: Patient, dataset: Dataset, period: Period) -> dict[str, np.ndarray]:
    """The same, learnt from some candles."""
    learnt = {"base": _base(patient, dataset, period)}
    for number, member in _baselines(patient):
        again = FittedBaseline.learnt(member.name, dataset, period, patient.levels)
        learnt |= {_name(number, member, name): array for name, array in again.fitted.items()}
    templates = draw_templates(dataset, period, patient.config)
    if templates is not None and patient.model.templates is not None and patient.same_candles:
        learnt["templates"] = templates  # of other candles, others would be drawn
    return learnt


def _base(patient: Patient, dataset: Dataset, period: Period) -> np.ndarray:
    return pooled_quantiles(dataset, period, dataset.units, patient.levels)


def _other(patient: Patient) -> Dataset:
    """The run's candles, with another future after the fitted period."""
    panel = panel_after(patient.dataset.panel, patient.period.end)
    return replace(patient.dataset, panel=panel, features=compute_features(panel, patient.config.features))


def _baselines(patient: Patient) -> Iterator[tuple[int, FittedBaseline]]:
    return ((place, one) for place, one in enumerate(patient.members, 1) if isinstance(one, FittedBaseline))


def _name(number: int, member: FittedBaseline, array: str) -> str:
    return f"member {number} ({member.name}), {array}"


def _distance(kept: np.ndarray, again: np.ndarray) -> float:
    if kept.shape != again.shape:
        return float("inf")
    size = float(np.abs(again).max())
    return float(np.abs(kept.astype(float) - again.astype(float)).max()) / (size or 1.0)
