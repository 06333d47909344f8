"""The case study's tables, and the margins in its sentences, from the recorded results."""

from __future__ import annotations

from statistics import mean
from typing import Any

from claims import NETWORKS, SIGNIFICANT

FORMULAS = ("ewma-random-walk", "ewma-garman-klass", "har", "harx", "climatology")
NONE = "–"


def margins(networks: list[list[dict[str, Any]]], other: str) -> str:
    """`+1.06% to +1.20% (8 of 9 runs with p < 0.05)`: means of each network's seeds, and how many runs are no luck."""
    means = [mean(one["over"][other]["skill"] for one in seeds) for seeds in networks]
    every = [one["over"][other]["p"] for seeds in networks for one in seeds]
    size = " to ".join(dict.fromkeys(f"{edge:+.2%}" for edge in (min(means), max(means))))
    return f"{size} ({sum(p < SIGNIFICANT for p in every)} of {len(every)} runs with p < {SIGNIFICANT})"


def usual_table(usual: dict[str, Any]) -> str:
    """The usual way, stock by stock."""
    rows = ["| stock | R² of the prices | error, in errors of yesterday's close | days late | direction right |"]
    rows.append("|---|---|---|---|---|")
    rows += [
        f"| {name} | {one['fit']:.3f} | {one['times']:.2f} | {one['lag']} | {one['right']:.1%} ± {one['coin']:.1%} |"
        for name, one in usual.items()
    ]
    return "\n".join(rows)


def network_table(runs: dict[str, Any]) -> str:
    """Networks and formulas: skill, and margins over HAR and over the DNN with their p-values."""
    rows = ["| forecast | weights | skill | over HAR | p | over the DNN | p | 80% band held |", "|---" * 8 + "|"]
    for name in (*NETWORKS, *FORMULAS):
        many = runs[name] if name in runs else [_reference(runs)]
        title = name.upper() if name in NETWORKS else f"`{name}`"
        weights = f"{many[0]['parameters']:,}" if many[0]["parameters"] else NONE
        over_har = [one["over"].get("har") for one in many]
        cells = (*_compared(over_har), *_compared(_over_dnn(name, runs)))
        held = f"{mean(one['held'] for one in many):.1%}"
        skill = f"{mean(one['skill'] for one in many):+.2%}" if name in runs else "0, by definition"
        rows.append(f"| {title} | {weights} | {skill} | {' | '.join(cells)} | {held} |")
    return "\n".join([*rows, f"| `last-close` | {' | '.join([NONE] * 6)} | no band |"])


def _reference(runs: dict[str, Any]) -> dict[str, Any]:
    """The formula that skill is measured against, as HAR's run has it."""
    har = runs["har"][0]
    return {"parameters": None, "held": har["reference_held"], "over": {"har": har["theirs"]["ewma-random-walk"]}}


def _over_dnn(name: str, runs: dict[str, Any]) -> list[dict[str, Any] | None]:
    if name == "dnn":
        return [None]
    if name in FORMULAS:
        return [one["theirs"][name] for one in runs["dnn"]]
    return [one["over"]["dnn"] for one in runs[name]]


def _compared(seeds: list[dict[str, Any] | None]) -> tuple[str, str]:
    """The mean margin, and the p-values from smallest to largest."""
    known = [one for one in seeds if one is not None]
    if not known:
        return NONE, NONE
    chances = sorted({_chance(one["p"]): one["p"] for one in known}.items(), key=lambda item: item[1])
    return f"{mean(one['skill'] for one in known):+.2%}", " to ".join(dict.fromkeys((chances[0][0], chances[-1][0])))


def _chance(p_value: float) -> str:
    return "< 0.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def step_table(runs: dict[str, Any]) -> str:
    """Skill at each step, mean of the seeds."""
    steps = list(runs["gru"][0]["steps"])
    rows = [f"| asked for | {' | '.join(f'day {step}' for step in steps)} |", "|---" * (len(steps) + 1) + "|"]
    several = f"the next {len(steps)}"
    for label, name in (
        ("the next candle (N-to-1)", "one"),
        (f"{several} (N-to-M)", "gru"),
        (f"{several}, by HAR", "har"),
    ):
        found = [[one["steps"][step] for one in runs[name] if step in one["steps"]] for step in steps]
        rows.append(f"| {label} | {' | '.join(f'{mean(own):+.2%}' if own else '' for own in found)} |")
    return "\n".join(rows)
