"""Regression trees as arrays, evaluated by numpy alone.

Every tree has at most 32 leaves, and a leaf is a bit. A node whose condition fails makes the leaves on its left
unreachable; the lowest bit left after all nodes is the leaf. The nodes' order does not matter, so all rows and all
nodes are compared at once. Source: Lucchese et al. (2015), "QuickScorer".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float

LEAVES = 32
"""Most leaves of a tree: the bits of a mask."""

_ROWS = 128
"""Rows compared at once: few enough that the masks of a hundred trees stay in the processor's cache."""

_EVERY_LEAF = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of some trees. Nodes of all trees lie one after the other.

    Args:
        feature: column that each node reads.
        threshold: a row goes left where its value is at most this.
        kept: leaves that remain if it goes right, as bits.
        first: first node of each tree.
        leaf: values of each tree's leaves from left to right, "tree 32".
    """

    feature: np.ndarray
    threshold: np.ndarray
    kept: np.ndarray
    first: np.ndarray
    leaf: np.ndarray

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], features: int) -> Trees:
        """Trees from a model file's arrays, checked.

        Raises:
            ValueError: they are not trees on so many features.
        """
        if missing := [name for name in cls.__dataclass_fields__ if f"trees/{name}" not in arrays]:
            raise ValueError(f"its trees have no {missing[0]}")
        trees = cls(**{name: arrays[f"trees/{name}"] for name in cls.__dataclass_fields__})
        trees._check(features)
        return trees

    def arrays(self) -> dict[str, np.ndarray]:
        """As named arrays, for a model file."""
        return {f"trees/{name}": getattr(self, name) for name in self.__dataclass_fields__}

    def predict(self, values: Float[np.ndarray, "row feature"]) -> Float[np.ndarray, " row"]:
        """The sum of the leaves that each row ends in."""
        found = np.zeros(len(values))
        if not len(self.first):
            return found
        tree = np.arange(len(self.first))[:, None]
        for start in range(0, len(values), _ROWS):
            columns = np.ascontiguousarray(values[start : start + _ROWS].T)
            right = columns[self.feature] > self.threshold[:, None]
            masks = np.where(right, self.kept[:, None], _EVERY_LEAF)
            left = np.bitwise_and.reduceat(masks, self.first, axis=0)
            place = np.bitwise_count((left & -left) - np.uint32(1))  # zeros below the lowest bit
            # Rows made contiguous: numpy's order of summing would else depend on how many rows there are.
            found[start : start + _ROWS] = np.ascontiguousarray(self.leaf[tree, place].T).sum(axis=1)
        return found

    def _check(self, features: int) -> None:
        kinds = {"feature": "i", "first": "i", "threshold": "f", "leaf": "f"}
        if any(getattr(self, name).dtype.kind != kind for name, kind in kinds.items()) or self.kept.dtype != np.uint32:
            raise ValueError("its trees' arrays have other types")
        if {self.feature.ndim, self.first.ndim} != {1}:
            raise ValueError("its trees' arrays have other dimensions")
        nodes, trees = len(self.feature), len(self.first)
        shapes = {self.threshold.shape, self.kept.shape, (nodes,)}
        if len(shapes) > 1 or self.leaf.shape != (trees, LEAVES) or self.first.shape != (trees,):
            raise ValueError("its trees' arrays have different lengths")
        if trees and (self.first[0] != 0 or np.any(np.diff(self.first) < 1) or self.first[-1] >= nodes):
            raise ValueError("its trees do not follow each other")
        if nodes and not 0 <= self.feature.min() <= self.feature.max() < features:
            raise ValueError(f"its trees read {int(self.feature.max()) + 1} features, not {features}")
        if trees and not np.bitwise_and.reduceat(self.kept, self.first).all():
            raise ValueError("its trees have rows that end in no leaf")
        if not (np.isfinite(self.threshold).all() and np.isfinite(self.leaf).all()):
            raise ValueError("its trees hold numbers that are not finite")


def from_lightgbm(dump: Mapping[str, Any]) -> Trees:
    """Trees from what LightGBM's `Booster.dump_model` returns; a tree that is a single leaf becomes one node."""
    feature: list[int] = []
    threshold: list[float] = []
    kept: list[int] = []
    first, leaf = [], []
    for one in dump["tree_info"]:
        first.append(len(feature))
        leaves: list[float] = []
        for column, bound, left in _nodes(one["tree_structure"], leaves) if one["num_leaves"] > 1 else ():
            feature.append(column)
            threshold.append(bound)
            kept.append(left)
        if one["num_leaves"] == 1:
            feature, threshold, kept = [*feature, 0], [*threshold, 0.0], [*kept, int(_EVERY_LEAF)]
            leaves = [float(one["tree_structure"]["leaf_value"])]
        leaf.append(leaves + [0.0] * (LEAVES - len(leaves)))
    return Trees(
        np.array(feature, np.int32),
        _down(np.array(threshold, np.float64)),
        np.array(kept, np.uint32),
        np.array(first, np.int32),
        np.array(leaf, np.float64).reshape(-1, LEAVES),
    )


def _nodes(node: Mapping[str, Any], leaves: list[float]) -> Iterator[tuple[int, float, int]]:
    """Column, threshold and remaining leaves of each node below this one; appends the leaves from left to right."""
    if "leaf_value" in node:
        leaves.append(float(node["leaf_value"]))
        return
    before = len(leaves)
    yield from _nodes(node["left_child"], leaves)
    below = ((1 << len(leaves)) - 1) ^ ((1 << before) - 1)
    yield int(node["split_feature"]), float(node["threshold"]), int(_EVERY_LEAF) & ~below
    yield from _nodes(node["right_child"], leaves)


def _down(threshold: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above: a float32 compares with it as with the float64."""
    rounded = threshold.astype(np.float32)
    above = rounded.astype(np.float64) > threshold
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    found: np.ndarray = rounded
    return found
