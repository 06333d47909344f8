"""Were base quantiles, baselines and path templates fitted on the fitted period alone?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from forecaster import mapped
from forecaster.baselines import FittedBaseline
from forecaster.data.splits import Period
from forecaster.evaluation.canaries import CANARIES, Check, RunUnderTest, check
from forecaster.evaluation.canaries.perturb import panel_after
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, pooled_quantiles
from forecaster.header import Init
from forecaster.inference.paths import draw_templates
from forecaster.inference.tails import fit_tails

_TOLERANCE = 1e-6
"""Relative to the largest number: a source's revision of dividends changes the last bits."""


@CANARIES.register("fitted-inside")
def fitted_inside(run: RunUnderTest) -> Check:
    """Fits base quantiles, baselines and templates again with every later candle altered, and compares."""
    if (init := run.model.header.init) is not None:
        return _kept(run, init)
    stored = _stored(run)
    refitted = _refitted(run, _altered(run), run.period)
    apart = {name: _distance(stored[name], again) for name, again in refitted.items()}
    worst = max(apart, key=lambda name: apart[name])
    ok: bool | None = apart[worst] <= _TOLERANCE
    changed = "" if run.same_candles else "; the store's candles have been revised since training"
    if not ok and not run.same_candles:
        # Revised candles move every figure a little: fail only if a fit on all days, test included, comes nearer.
        everything = Period(run.period.start, run.split.test_end)
        ok = None if apart[worst] < _distance(stored["base"], _base(run, run.dataset, everything)) else False
    return check(
        "fitted-inside",
        ok,
        apart[worst],
        measured=f"{worst}: relative difference {apart[worst]:.1g} from a fit on candles {run.period} alone{changed}",
        expected=f"at most {_TOLERANCE:g}",
        meaning=(
            "Base quantiles, baselines, path templates and tails were fitted on the fitted period alone.",
            "Something was fitted on days that the run calls unseen, or was altered afterwards: its test is invalid."
            if ok is False
            else "The candles have been revised since: train again to check this.",
        ),
    )


def _kept(run: RunUnderTest, init: Init) -> Check:
    """Of a fine-tuned run, which keeps the quantiles and baselines of another one: did that one know later days?"""
    return check(
        "fitted-inside",
        bool(init.fitted_to <= run.period.end),
        0.0,
        measured=f"base quantiles and baselines are those of {init.run}, fitted to {init.fitted_to}",
        expected=f"fitted to {run.period.end} or earlier",
        meaning=(
            "The run that training started from knows nothing of the days that this one calls unseen.",
            "The run that training started from knows days of this test: its figures are in-sample.",
        ),
        broken=False,
    )


def _stored(run: RunUnderTest) -> dict[str, np.ndarray]:
    """The fitted arrays in the model file, by name."""
    stored = {"base": run.model.header.base}
    for number, member in _baselines(run):
        stored |= {_name(number, member, name): array for name, array in member.fitted.items()}
    if run.model.templates is not None:
        stored["templates"] = run.model.templates
    if run.model.tails is not None:
        stored["tails"] = run.model.tails
    return stored


def _refitted(run: RunUnderTest, dataset: Dataset, period: Period) -> dict[str, np.ndarray]:
    """The same arrays, fitted again on the given candles."""
    refitted = {"base": _base(run, dataset, period)}
    for number, member in _baselines(run):
        again = FittedBaseline.learnt(member.name, dataset, period, run.levels)
        refitted |= {_name(number, member, name): array for name, array in again.fitted.items()}
    templates = draw_templates(dataset, period, run.config)
    if templates is not None and run.model.templates is not None and run.same_candles:
        refitted["templates"] = templates  # other candles would draw other templates
    tails = fit_tails(dataset, period, run.levels) if run.model.tails is not None and run.same_candles else None
    if tails is not None:
        refitted["tails"] = tails
    return refitted


def _base(run: RunUnderTest, dataset: Dataset, period: Period) -> np.ndarray:
    return pooled_quantiles(dataset, period, dataset.units, run.levels)


def _altered(run: RunUnderTest) -> Dataset:
    """The run's dataset, with every candle after the fitted period altered."""
    panel = panel_after(run.dataset.panel, run.period.end)
    features = compute_features(panel, run.config.features, allocate=(mapped.empty, mapped.empty))
    return replace(run.dataset, panel=panel, features=features)


def _baselines(run: RunUnderTest) -> Iterator[tuple[int, FittedBaseline]]:
    return ((place, one) for place, one in enumerate(run.members, 1) if isinstance(one, FittedBaseline))


def _name(number: int, member: FittedBaseline, array: str) -> str:
    return f"member {number} ({member.name}), {array}"


def _distance(kept: np.ndarray, again: np.ndarray) -> float:
    if kept.shape != again.shape:
        return float("inf")
    size = float(np.abs(again).max())
    return float(np.abs(kept.astype(float) - again.astype(float)).max()) / (size or 1.0)
