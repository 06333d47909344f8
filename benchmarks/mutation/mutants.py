"""Small mistakes that a hand could make in a source file, each as the whole file with that one mistake in it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
EXTREMES = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max"}

_NO_BEHAVIOUR = {"dataclass", "field", "lru_cache", "cache"}
"""Calls whose arguments say how a class looks or what is remembered, not what is computed."""

Mutation = Callable[[ast.AST], ast.AST]


@dataclass(frozen=True)
class Mutant:
    """A source file with one mistake in it.

    Args:
        line: of the file as it was.
        change: what was there and what is there now.
        source: the whole file.
    """

    line: int
    change: str
    source: str


def mutants_of(source: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines; annotations, messages and docstrings have none."""
    found = []
    for place, node in enumerate(_computed(ast.parse(source))):
        for mutate in _mutations(node):
            tree = ast.parse(source)
            old = list(_computed(tree))[place]
            new = ast.copy_location(mutate(copy.deepcopy(old)), old)
            text = ast.unparse(_Replaced(old, new).visit(tree))
            line = getattr(node, "lineno", 0)
            found.append(Mutant(line, f"`{ast.unparse(node)}` → `{ast.unparse(new)}`", text))
    return sorted(found, key=lambda mutant: mutant.line)


def _computed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one that take part in what is computed, always in the same order."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _name(node.func) in _NO_BEHAVIOUR):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _computed(child)


def _mutations(node: ast.AST) -> Iterator[Mutation]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
            yield lambda one: ast.Compare(one.left, [COMPARISONS[type(operator)]()], one.comparators)  # type: ignore[attr-defined]
        case ast.BoolOp():
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield lambda one: ast.BoolOp(other(), one.values)  # type: ignore[attr-defined]
        case ast.BinOp() | ast.AugAssign() if type(node.op) in OPERATORS:
            yield lambda one: _with(one, op=OPERATORS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield lambda one: one.operand  # type: ignore[attr-defined]
        case ast.Constant(value=bool()):
            yield lambda one: _with(one, value=not one.value)  # type: ignore[attr-defined]
        case ast.Constant(value=int()):
            yield lambda one: _with(one, value=one.value + 1)  # type: ignore[attr-defined]
            yield lambda one: _with(one, value=one.value - 1)  # type: ignore[attr-defined]
        case ast.Constant(value=float()):
            yield lambda one: _with(one, value=one.value * 1.25 + 0.01 * (one.value == 0))  # type: ignore[attr-defined]
        case ast.Name(id=name) if name in EXTREMES:
            yield lambda one: _with(one, id=EXTREMES[name])
        case ast.Attribute(attr=name) if name in EXTREMES:
            yield lambda one: _with(one, attr=EXTREMES[name])


def _with(node: ast.AST, **values: object) -> ast.AST:
    for name, value in values.items():
        setattr(node, name, value)
    return node


def _name(function: ast.AST) -> str:
    return function.id if isinstance(function, ast.Name) else ""


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else super().generic_visit(node)
