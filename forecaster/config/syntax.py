"""YAML syntax errors in plain words, instead of the parser's block mappings and tokens."""

from __future__ import annotations

import re

import yaml

_EXPLANATIONS = {
    r"found character '\\t'": "a tab where only spaces are allowed: indent with spaces",
    r"found character '(?P<mark>.)' that cannot start": "a value cannot start with {mark}: put it in quotes",
    r"expected ',' or '(?P<end>.)', but got": "the {begin} on line {from_} is not closed, or lacks a comma or a ': '",
    r"expected <block end>, but found '(?P<end>[}\]])'": "unmatched {end}: there is no {begin} before it",
    r"expected <block end>, but found '<scalar>'": "text after a closing quote: double a quote inside quotes",
    r"expected <block end>": "inconsistent indentation: align the keys of a section",
    r"unexpected end of stream": "the quote opened here is not closed",
    r"could not find expected ':'": "expected a key with ': ' or a list item with '- '",
    r"sequence entries are not allowed": "'- ' follows a key on the same line: start a new line, or write [a, b]",
    r"constructor for the tag '(?P<tag>[^']*)'": "the tag {tag} is not supported: put text starting with ! in quotes",
    r"found another document": "a second document starts with ---: keep only one",
    r"escape": "a \\ in double quotes starts an escape sequence: use single quotes",
    r"expected the node content, but found '<stream end>'": "unexpected end of the file: a bracket is not closed",
    r"expected the node content, but found '(?P<mark>.)'": "a value is missing before the {mark}",
    r"chomping or indentation|comment or a line break": "a value cannot start with > or |: put it in quotes",
    r"expected alphabetic or numeric character": "a value cannot start with & or *: put it in quotes",
}
"""Parser message (regex) → our explanation."""

_TWO = "two ': ' on one line: start a new line for the second key, or put the value in quotes"
_LOST = "the line above has no ': ', or this line is indented too far"
_BEGINS = {"}": "{", "]": "["}


def explain(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """The line, counted from 1, and what is wrong there; our own messages are passed through."""
    if isinstance(error, yaml.reader.ReaderError):
        return text[: error.position].count("\n") + 1, "it contains a control character: save it as plain text"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return None, " ".join(str(error).split())
    line, problem = error.problem_mark.line, error.problem or "it cannot be read"
    start = error.context_mark.line if error.context_mark is not None else line
    if problem.startswith("mapping values are not allowed"):
        return line + 1, _TWO if len(re.findall(r":(?:\s|$)", text.splitlines()[line])) > 1 else _LOST
    if problem.startswith(("could not find expected ':'", "found unexpected end of stream")):
        line = start
    for pattern, words in _EXPLANATIONS.items():
        if found := re.search(pattern, problem):
            parts = found.groupdict()
            return line + 1, words.format(**parts, from_=start + 1, begin=_BEGINS.get(parts.get("end", ""), ""))
    return line + 1, problem
