"""What is wrong with YAML text, in plain words: the parser speaks of block mappings and tokens."""

from __future__ import annotations

import re

import yaml

_WORDS = {
    r"found character '\\t'": "a tab stands where only spaces may: indent with spaces",
    r"found character '(?P<mark>.)' that cannot start": "a value cannot begin with {mark}: put it in quotes",
    r"expected ',' or '(?P<end>.)', but got": "the {begin} of line {from_} is not closed, or lacks a comma or a ': '",
    r"expected <block end>, but found '(?P<end>[}\]])'": "a {end} has no {begin} before it",
    r"expected <block end>, but found '<scalar>'": "text follows a closing quote: write a quote within quotes twice",
    r"expected <block end>": "it is indented unlike its neighbours: begin the keys of a section in one column",
    r"unexpected end of stream": "the quote that begins here is not closed",
    r"could not find expected ':'": "this is neither a key with its ': ' nor an item with its '- '",
    r"sequence entries are not allowed": "an item's '- ' stands behind a key: begin a line with it, or write [a, b]",
    r"constructor for the tag '(?P<tag>[^']*)'": "the tag {tag} is not taken: put text that begins with ! in quotes",
    r"found another document": "a second document begins with ---: keep one",
    r"escape": "a \\ within double quotes begins an escape: take single quotes",
    r"expected the node content, but found '<stream end>'": "it ends in the midst: a bracket is not closed",
    r"expected the node content, but found '(?P<mark>.)'": "a value is missing before the {mark}",
    r"chomping or indentation|comment or a line break": "a value cannot begin with > or |: put it in quotes",
    r"expected alphabetic or numeric character": "a value cannot begin with & or *: put it in quotes",
}
"""The parser's words → ours."""

_TWO = "two ': ' stand in one line: begin another line with the second key, or put the value in quotes"
_LOST = "the line above lacks its ': ', or this one is indented too far"
_BEGINS = {"}": "{", "]": "["}


def complaint(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """The line, counted from 1, and what is wrong with it; an error of our own says it itself."""
    if isinstance(error, yaml.reader.ReaderError):
        return text[: error.position].count("\n") + 1, "it holds a character that no text has: save it as plain text"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return None, " ".join(str(error).split())
    line, problem = error.problem_mark.line, error.problem or "it cannot be read"
    start = error.context_mark.line if error.context_mark is not None else line
    if problem.startswith("mapping values are not allowed"):
        return line + 1, _TWO if len(re.findall(r":(?:\s|$)", text.splitlines()[line])) > 1 else _LOST
    if problem.startswith(("could not find expected ':'", "found unexpected end of stream")):
        line = start
    for pattern, words in _WORDS.items():
        if found := re.search(pattern, problem):
            parts = found.groupdict()
            return line + 1, words.format(**parts, from_=start + 1, begin=_BEGINS.get(parts.get("end", ""), ""))
    return line + 1, problem
