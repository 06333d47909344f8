"""The case study's tables, and the margins in its sentences, from the recorded results."""

from __future__ import annotations

from statistics import mean
from typing import Any

from claims import NETWORKS, SIGNIFICANT
from languages import Say

FORMULAS = ("ewma-random-walk", "ewma-garman-klass", "har", "harx", "climatology")
SHAPES = {
    "n_to_1": "N-to-1",
    "n_to_n": "N-to-N",
    "n_to_m": "N-to-M, direct",
    "n_to_m_recursive": "N-to-M, recursive",
    "n_to_m_seq2seq": "N-to-M, sequence to sequence",
    "attention": "attention, N-to-N",
    "tutorial": "the tutorial's RNN, N-to-1",
    "one_to_n": "trained for 1-to-N, whole history read",
}
CHANGES = {
    "demo": "`demo` as it is",
    "features": "`features=[ohlc]`",
    "size": "`model.hidden_size=128`",
    "head": "`task.head=quantile`",
    "calibration": "`calibration.rolling=false`",
    "steps": "`training.steps=5`",
}
NONE = "–"


def margins(networks: list[list[dict[str, Any]]], other: str, say: Say) -> str:
    """`+1.06% to +1.20% (8 of 9 runs with p < 0.05)`: means of each network's seeds, and how many runs are no luck."""
    means = [mean(one["over"][other]["skill"] for one in seeds) for seeds in networks]
    every = [one["over"][other]["p"] for seeds in networks for one in seeds]
    size = say(" to ").join(dict.fromkeys(f"{edge:+.2%}" for edge in (min(means), max(means))))
    count = sum(p < SIGNIFICANT for p in every)
    return say("{size} ({count} of {every} runs with p < {limit})").format(
        size=size, count=count, every=len(every), limit=SIGNIFICANT
    )


def usual_table(usual: dict[str, Any], say: Say) -> str:
    """The usual way, stock by stock."""
    titles = ("stock", "R² of the prices", "error, in errors of yesterday's close", "days late", "direction right")
    return table(
        map(say, titles),
        (
            (
                name,
                f"{one['fit']:.3f}",
                f"{one['times']:.2f}",
                one["lag"],
                f"{one['right']:.1%} ± {one['coin']:.1%}",
            )
            for name, one in usual.items()
        ),
    )


def network_table(runs: dict[str, Any], say: Say) -> str:
    """Networks and formulas: skill, and margins over HAR and over the DNN with their p-values."""
    titles = ("forecast", "weights", "skill", "over HAR", "p", "over the DNN", "p", "80% band held")
    rows = []
    for name in (*NETWORKS, *FORMULAS):
        many = runs[name] if name in runs else [_reference(runs)]
        title = name.upper() if name in NETWORKS else f"`{name}`"
        weights = f"{many[0]['parameters']:,}" if many[0]["parameters"] else NONE
        over_har = [one["over"].get("har") for one in many]
        cells = (*_compared(over_har, say), *_compared(_over_dnn(name, runs), say))
        held = f"{mean(one['held'] for one in many):.1%}"
        skill = f"{mean(one['skill'] for one in many):+.2%}" if name in runs else say("0, by definition")
        rows.append((title, weights, skill, *cells, held))
    return table(map(say, titles), [*rows, ("`last-close`", *[NONE] * 6, say("no band"))])


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


def _compared(seeds: list[dict[str, Any] | None], say: Say) -> tuple[str, str]:
    """The mean margin, and the p-values from smallest to largest."""
    known = [one for one in seeds if one is not None]
    if not known:
        return NONE, NONE
    chances = sorted({_chance(one["p"]): one["p"] for one in known}.items(), key=lambda item: item[1])
    edges = dict.fromkeys((chances[0][0], chances[-1][0]))
    return f"{mean(one['skill'] for one in known):+.2%}", say(" to ").join(edges)


def _chance(p_value: float) -> str:
    return "< 0.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def step_table(runs: dict[str, Any], say: Say) -> str:
    """Skill at each step, mean of the seeds."""
    steps = list(runs["gru"][0]["steps"])
    several = say("the next {count}").format(count=len(steps))
    rows = []
    for label, name in (
        (say("the next candle (N-to-1)"), "one"),
        (say("{several} (N-to-M)").format(several=several), "gru"),
        (say("{several}, by HAR").format(several=several), "har"),
    ):
        found = [[one["steps"][step] for one in runs[name] if step in one["steps"]] for step in steps]
        rows.append((label, *(f"{mean(own):+.2%}" if own else "" for own in found)))
    return table((say("asked for"), *(say("day {step}").format(step=step) for step in steps)), rows)


def shape_table(shapes: dict[str, Any], say: Say) -> str:
    """A row for each shape: skill, margins over two formulas with p-values, coverage."""
    titles = ("shape", "config", "days", "skill", "over Garman–Klass", "p", "over HAR", "p", "80% band held")
    return table(map(say, titles), (_shape_row(name, shapes[name], say) for name in SHAPES))


def _shape_row(name: str, seeds: list[dict[str, Any]], say: Say) -> tuple[str, ...]:
    days = list(seeds[0]["steps"])
    return (
        say(SHAPES[name]),
        f"`{name}`",
        days[0] if len(days) == 1 else f"{days[0]}–{days[-1]}",
        f"{mean(one['skill'] for one in seeds):+.2%}",
        *_over("ewma-garman-klass", seeds, say),
        *_over("har", seeds, say),
        _held(seeds, say),
    )


def grown_table(grown: dict[str, Any], say: Say) -> str:
    """A row for each number of candles that paths grew from."""
    titles = ("candles read", "skill", "over HAR", "p", "80% band held")
    rows = (
        (context, f"{mean(one['skill'] for one in seeds):+.2%}", *_over("har", seeds, say), _held(seeds, say))
        for context, seeds in grown.items()
    )
    return table(map(say, titles), rows)


def change_table(experiments: dict[str, Any], say: Say) -> str:
    """A row for each experiment: weights, margins over HAR, coverage, and the median's error."""
    titles = ("change", "weights", "over HAR", "p", "80% band held", "close, over the last close")
    rows = (
        (
            say(CHANGES[name]),
            f"{seeds[0]['parameters']:,}",
            *_over("har", seeds, say),
            _held(seeds, say),
            f"{mean(one['close_gain'] for one in seeds):+.2%}",
        )
        for name, seeds in experiments.items()
    )
    return table(map(say, titles), rows)


def _over(formula: str, seeds: list[dict[str, Any]], say: Say) -> tuple[str, str]:
    return _compared([one["over"][formula] for one in seeds], say)


def _held(seeds: list[dict[str, Any]], say: Say) -> str:
    edges = [f"{edge(one['held'] for one in seeds):.1%}" for edge in (min, max)]
    return say(" to ").join(dict.fromkeys(edges))


def table(titles: Any, rows: Any) -> str:
    """Markdown."""
    lines = [[str(cell) for cell in row] for row in (titles, *rows)]
    text = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([text[0], f"{'|---' * len(lines[0])}|", *text[1:]])
