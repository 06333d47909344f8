"""Means and tests of many groups of forecasts at once: each figure is a sum over cells by the number of their group."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from forecaster.axes import Float, Int
from forecaster.evaluation.significance import Comparison, diebold_mariano

LEAST = 1e-12
"""A loss is divided by no less."""


class Groups:
    """Cells of one step each, in groups.

    Args:
        codes: the group of each cell, from 0 to count − 1.
        steps: sessions ahead of each cell.
    """

    def __init__(self, codes: Int[np.ndarray, " cell"], steps: Int[np.ndarray, " cell"], count: int) -> None:
        self.codes, self.count = codes, count
        self.steps, places = np.unique(steps, return_inverse=True)
        self._pairs = codes * len(self.steps) + places

    @cached_property
    def counts(self) -> Int[np.ndarray, " group"]:
        """Cells of each group."""
        return np.bincount(self.codes, minlength=self.count)

    @cached_property
    def _pair_counts(self) -> Int[np.ndarray, "group step"]:
        return np.bincount(self._pairs, minlength=self.count * len(self.steps)).reshape(self.count, len(self.steps))

    def mean(self, columns: Float[np.ndarray, "column cell"]) -> Float[np.ndarray, "column group"]:
        """Mean over each group's finite values; NaN without any."""
        known = np.isfinite(columns)
        sums = [
            np.bincount(self.codes, np.where(ok, one, 0), self.count) for one, ok in zip(columns, known, strict=True)
        ]
        counts = [np.bincount(self.codes, ok, self.count) for ok in known]
        return np.divide(sums, counts, out=np.full((len(columns), self.count), np.nan), where=np.array(counts) > 0)

    def mean_by_step(self, columns: Float[np.ndarray, "*kind cell"]) -> Float[np.ndarray, "*kind group"]:
        """Mean over the cells of each step, then over the steps that a group has."""
        means: np.ndarray = self._pair_means(columns).sum(axis=-1) / (self._pair_counts > 0).sum(axis=-1)
        return means

    def distinct(self, values: Int[np.ndarray, " cell"]) -> Int[np.ndarray, " group"]:
        """How many different numbers each group has."""
        width = int(values.max(initial=0)) + 1
        return np.bincount(np.unique(self.codes * width + values) // width, minlength=self.count)

    def compare(
        self, losses: Float[np.ndarray, "forecaster variable cell"], dates: Int[np.ndarray, " cell"]
    ) -> list[list[Comparison]]:
        """Diebold–Mariano tests of the first forecaster with each other one, a list a group.

        On means by date, where each price and step weighs the same: losses grow with the step and differ by price, so
        each is divided by the other forecaster's mean loss there.

        Args:
            dates: numbers of the origins' dates, in their order.
        """
        width = int(dates.max(initial=0)) + 1
        found, place = np.unique(self.codes * width + dates, return_inverse=True)
        days = np.bincount(place)
        ends = np.searchsorted(found // width, np.arange(1, self.count))
        longest = np.where(self._pair_counts > 0, self.steps, 0).max(axis=1, initial=0).tolist()
        means = [np.bincount(place, self._difference(losses[0], other)) / days for other in losses[1:]]
        series = zip(*(np.split(one, ends) for one in means), strict=True)
        return [[diebold_mariano(one, steps) for one in of] for of, steps in zip(series, longest, strict=True)]

    def _difference(
        self, own: Float[np.ndarray, "variable cell"], other: Float[np.ndarray, "variable cell"]
    ) -> Float[np.ndarray, " cell"]:
        """How much more the first loses than the other, in units of the other's mean loss; mean over the prices."""
        usual = np.maximum(self._pair_means(other), LEAST).reshape(len(other), self._pair_counts.size)
        total = np.zeros(len(self.codes))
        for mine, theirs, scale in zip(own, other, usual, strict=True):
            total += (mine - theirs) / scale[self._pairs]
        return total / len(own)

    def _pair_means(self, columns: Float[np.ndarray, "*kind cell"]) -> Float[np.ndarray, "*kind group step"]:
        """Mean of each group and step; 0 where it has no cell."""
        flat = columns.reshape(math.prod(columns.shape[:-1]), columns.shape[-1])
        size = self.count * len(self.steps)
        sums = np.array([np.bincount(self._pairs, one, size) for one in flat])
        means = sums.reshape(len(flat), self.count, len(self.steps)) / np.maximum(self._pair_counts, 1)
        return means.reshape(*columns.shape[:-1], self.count, len(self.steps))
