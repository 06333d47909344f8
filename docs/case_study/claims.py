"""What the text says in words, checked against its numbers: prose cannot contradict them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import mean
from typing import Any

NETWORKS, CELLS = ("dnn", "rnn", "lstm", "gru"), ("rnn", "lstm", "gru")
SIGNIFICANT, NEAR = 0.05, 0.1
BEATING = ("n_to_1", "n_to_m", "n_to_m_recursive")
"""Shapes that are better than HAR and than Garman–Klass."""

BOTH = ("har", "ewma-garman-klass")


def check(results: dict[str, Any]) -> None:
    """Stop where a claim of the text does not hold.

    Raises:
        SystemExit: with each claim that fails, a line each.
    """
    failed = [f"claim does not hold: {text}" for text, holds in claims(results) if not holds]
    if failed:
        raise SystemExit("\n".join([*failed, "Change template.md and claims.py to what is so."]))


Claims = Iterator[tuple[str, bool]]
"""Each claim in the words of the text, and whether it holds."""


def claims(results: dict[str, Any]) -> Claims:
    """All claims of the text, in its order."""
    yield from _prices(results)
    yield from _usual(results["usual"])
    yield from _waves(results["waves"])
    yield from _networks(results["runs"])
    yield from _shapes(results["shapes"], results["grown"])
    yield from _limits(results["outcomes"], results["runs"])
    yield from _experiments(results["experiments"])


def _prices(results: dict[str, Any]) -> Claims:
    tensor, fan = results["tensor"], results["fan"]
    shown = dict(zip(tensor["shown_dates"], tensor["shown"], strict=True))
    yield (
        "all pictures of a stock have the prices of one day",
        abs(shown[fan["origin"]][3] / fan["before"][-1] - 1) < 1e-4,
    )


def _usual(usual: dict[str, Any]) -> Claims:
    shown = next(one for one in usual.values() if one["curves"])
    yield "the usual forecast fits the curve of prices that is shown", shown["fit"] > 0.9
    yield "its changes are those of the close one day late", shown["lag"] == 1
    yield "for no stock are they those of the day that it speaks of", all(one["lag"] >= 1 for one in usual.values())
    yield "yesterday's close misses by less, for every stock", all(one["times"] > 1 for one in usual.values())
    together = pooled(usual)
    yield "its direction is about a coin's, over all stocks", abs(together["right"] - 0.5) <= together["coin"]


def _waves(waves: dict[str, Any]) -> Claims:
    yield "a return says next to nothing about the next", max(map(abs, waves["returns"])) < NEAR
    yield (
        "a range says much about the next, and still something months later",
        waves["ranges"][0] > 0.5 and min(waves["ranges"]) > 0.2,
    )


def _networks(runs: dict[str, Any]) -> Claims:
    seeds = [one for name in NETWORKS for one in runs[name]]
    yield "each network has skill over the random walk, with every seed", all(one["skill"] > 0 for one in seeds)
    formulas = [runs[name][0] for name in ("ewma-garman-klass", "har", "harx")]
    yield "Garman-Klass, HAR and least squares have too", all(one["skill"] > 0 for one in formulas)
    cells = [one["over"]["har"] for name in CELLS for one in runs[name]]
    yield (
        "recurrent networks know a little more than HAR, in most runs more than luck",
        all(one["skill"] > 0 for one in cells) and 2 * sum(one["p"] < SIGNIFICANT for one in cells) > len(cells),
    )
    yield "climatology falls short of the random walk", runs["climatology"][0]["skill"] < 0
    yield "the gain of a network is a per cent or two", all(0.005 < one["skill"] < 0.025 for one in seeds)
    yield "eighty-per-cent bands of networks held fewer", all(one["held"] < 0.8 for one in seeds)
    yield "their median misses by as much as the last close", all(abs(one["close_gain"]) < 0.001 for one in seeds)
    first = [mean(one["steps"]["1"] for one in runs[name]) for name in ("one", "gru")]
    yield "the first day is forecast better alone than among several", first[0] > first[1] > 0


def _limits(outcomes: dict[str, Any], runs: dict[str, Any]) -> Claims:
    predicted, actual = outcomes["gru"]["range_predicted"], outcomes["gru"]["range_actual"]
    yield "days predicted to be wider were wider", actual == sorted(actual)
    yield "the contrast between them is exaggerated", contrast(predicted) > contrast(actual)
    direction = outcomes["free"]
    yield "the direction is about a coin", abs(direction["right"] - 0.5) <= direction["coin"]
    yield "the median says nothing about the move", abs(direction["direction_rank_correlation"]) < NEAR
    yield (
        "ranges are predicted far better than directions",
        outcomes["gru"]["range_rank_correlation"] > 3 * abs(direction["direction_rank_correlation"]),
    )
    yield (
        "a free median misses by more than the last close, with every seed",
        all(one["close_gain"] < 0 for one in runs["free"]),
    )


def _shapes(shapes: dict[str, Any], grown: dict[str, Any]) -> Claims:
    yield (
        "N-to-1 and N-to-M are better than HAR and Garman-Klass, with every seed",
        all(_ahead(shapes[name], formula) for name in BEATING for formula in BOTH),
    )
    yield "sequence to sequence is better than Garman-Klass", _ahead(shapes["n_to_m_seq2seq"], "ewma-garman-klass")
    yield "N-to-N is better than HAR", _ahead(shapes["n_to_n"], "har")
    for name in ("n_to_m_seq2seq", "n_to_n"):
        yield f"the bands of {name} are too narrow", all(one["held"] < 0.78 for one in shapes[name])
    attention = shapes["attention"]
    yield "attention is no better than HAR with any seed", all(one["over"]["har"]["skill"] < 0 for one in attention)
    yield (
        "attention has the most weights",
        attention[0]["parameters"] == max(many[0]["parameters"] for many in shapes.values()),
    )
    spread = {
        name: max(one["skill"] for one in many) - min(one["skill"] for one in many) for name, many in shapes.items()
    }
    held = {name: mean(one["held"] for one in many) for name, many in shapes.items()}
    yield "attention's seeds lie farthest apart", max(spread, key=spread.__getitem__) == "attention"
    yield "attention's bands hold least", min(held, key=held.__getitem__) == "attention"
    yield "the tutorial's RNN cannot be told from formulas", min(p_values(shapes, ["tutorial"])) > SIGNIFICANT
    yield from _grown(grown)


def _grown(grown: dict[str, Any]) -> Claims:
    held = [mean(one["held"] for one in seeds) for seeds in grown.values()]
    har = grown["1"][0]["formulas_held"]["har"]
    yield "the more candles, the more the bands hold", held == sorted(held)
    yield "from one candle the bands are too narrow", held[0] < 0.75
    yield (
        "from one candle the forecast is worse than HAR",
        all(one["over"]["har"]["skill"] < 0 and one["over"]["har"]["p"] < SIGNIFICANT for one in grown["1"]),
    )
    long = [one for context in ("60", "250") for one in grown[context]]
    yield "with sixty they hold as many as HAR's", all(abs(one["held"] - har) < 0.01 for one in long)
    yield "and cannot be told from HAR", all(one["over"]["har"]["p"] > SIGNIFICANT for one in long)


def _ahead(seeds: list[dict[str, Any]], formula: str) -> bool:
    """Whether every seed is better than a formula, by more than luck."""
    return all(one["over"][formula]["skill"] > 0 and one["over"][formula]["p"] < SIGNIFICANT for one in seeds)


def p_values(shapes: dict[str, Any], names: Iterable[str]) -> list[float]:
    """Of the comparisons of these shapes' seeds with HAR and Garman–Klass."""
    return [one["over"][formula]["p"] for name in names for one in shapes[name] for formula in BOTH]


def _experiments(experiments: dict[str, Any]) -> Claims:
    over = {name: [one["over"]["har"] for one in seeds] for name, seeds in experiments.items()}
    skills = {name: [one["skill"] for one in seeds] for name, seeds in over.items()}
    held = {name: [one["held"] for one in seeds] for name, seeds in experiments.items()}
    close = {name: [one["close_gain"] for one in seeds] for name, seeds in experiments.items()}
    yield (
        "four plain prices leave nothing of the margin over HAR",
        all(abs(one["skill"]) < 0.002 and one["p"] > SIGNIFICANT for one in over["features"]),
    )
    yield "more units are better in as many steps, with every seed", min(skills["size"]) > max(skills["demo"])
    yield (
        "free quantiles leave less than half of the margin, which may be luck",
        2 * mean(skills["head"]) < mean(skills["demo"]) and all(one["p"] > SIGNIFICANT for one in over["head"]),
    )
    yield "the freed median misses by more", max(close["head"]) < min(close["demo"])
    yield (
        "calibration changes the bands and not the skill",
        abs(mean(skills["calibration"]) - mean(skills["demo"])) < 0.001
        and max(held["calibration"]) < min(held["demo"]) < 0.8,
    )
    start = [one["over"]["ewma-garman-klass"]["skill"] for one in experiments["steps"]]
    yield (
        "after five steps it is as good as Garman-Klass, and no better than HAR",
        all(abs(skill) < 0.001 for skill in start) and max(skills["steps"]) <= 0,
    )


def contrast(groups: list[float]) -> float:
    """How many times as wide the widest group is as the calmest."""
    return groups[-1] / groups[0]


def pooled(usual: dict[str, Any]) -> dict[str, float]:
    """Direction over all stocks' days; the coin's half width as if the days were independent."""
    days = sum(one["days"] for one in usual.values())
    right = sum(one["days"] * one["right"] for one in usual.values()) / days
    return {"days": days, "right": right, "coin": 1.96 * 0.5 / days**0.5}
