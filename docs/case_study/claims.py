"""What the text says in words, held against its numbers: prose cannot contradict them."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean
from typing import Any

SIGNIFICANT, NEAR = 0.05, 0.1


def check(results: dict[str, Any]) -> None:
    """Stop where a claim of the text does not hold.

    Raises:
        SystemExit: with each claim that fails, a line each.
    """
    failed = [f"claim does not hold: {text}" for text, holds in claims(results) if not holds]
    if failed:
        raise SystemExit("\n".join([*failed, "Change template.md and claims.py to what is so."]))


def claims(results: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each claim in the words of the text, and whether it holds."""
    usual, runs = results["usual"], results["runs"]
    shown = next(one for one in usual.values() if one["curves"])
    yield "the usual forecast fits the curve of prices that is shown", shown["fit"] > 0.9
    yield "its changes are those of the close one day late", shown["lag"] == 1
    yield "for no stock are they those of the day that it speaks of", all(one["lag"] >= 1 for one in usual.values())
    yield "yesterday's close misses by less, for every stock", all(one["times"] > 1 for one in usual.values())
    together = pooled(usual)
    yield "its direction is about a coin's, over all stocks", abs(together["right"] - 0.5) <= together["coin"]
    waves = results["waves"]
    yield "a return says next to nothing of the next", max(map(abs, waves["returns"])) < NEAR
    yield (
        "a range says much of the next, and still something months later",
        waves["ranges"][0] > 0.5 and min(waves["ranges"]) > 0.2,
    )
    nets = {name: runs[name] for name in runs if name not in ("one", "free")}
    yield (
        "each network knows the range better than the random walk, with every seed",
        all(one["skill"] > 0 and one["p"] < SIGNIFICANT for many in nets.values() for one in many),
    )
    yield (
        "a free median misses by more than the last close, with every seed",
        all(one["close_gain"] < 0 for one in runs["free"]),
    )
    yield "eighty-per-cent bands held fewer", all(one["held"] < 0.8 for many in nets.values() for one in many)
    yield (
        "which recurrent cell matters less than that there is a network at all",
        _spread(nets) < min(mean(one["skill"] for one in many) for many in nets.values()),
    )
    first = [mean(one["steps"]["1"] for one in runs[name]) for name in ("one", "gru")]
    yield "the first day is forecast better alone than among several", first[0] > first[1] > 0
    ranges = results["outcomes"]["gru"]
    yield "days that were foretold wider came wider", ranges["range_came"] == sorted(ranges["range_came"])
    direction = results["outcomes"]["free"]
    yield "the direction is about a coin", abs(direction["right"] - 0.5) <= direction["coin"]
    yield "the median says nothing of the move", abs(direction["direction_rank_correlation"]) < NEAR
    yield (
        "ranges are foretold far better than directions",
        (ranges["range_rank_correlation"] > 3 * abs(direction["direction_rank_correlation"])),
    )


def pooled(usual: dict[str, Any]) -> dict[str, float]:
    """Direction over all stocks' days; the coin's half width as if the days were independent."""
    days = sum(one["days"] for one in usual.values())
    right = sum(one["days"] * one["right"] for one in usual.values()) / days
    return {"days": days, "right": right, "coin": 1.96 * 0.5 / days**0.5}


def _spread(nets: dict[str, Any]) -> float:
    """Between the best and the worst recurrent cell, means over the seeds."""
    skills = [mean(one["skill"] for one in nets[name]) for name in ("rnn", "lstm", "gru")]
    return max(skills) - min(skills)
