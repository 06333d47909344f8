"""Steps ahead, in few words."""

from __future__ import annotations


def steps(horizon: tuple[int, ...]) -> str:
    """`1–5`, or `1–5, 20`."""
    parts: list[list[int]] = []
    for step in horizon:
        if parts and parts[-1][-1] + 1 == step:
            parts[-1].append(step)
        else:
            parts.append([step])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)
