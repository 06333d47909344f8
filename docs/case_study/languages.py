"""The languages of the case study: templates, places of the pages, and words of tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chinese import WORDS

Say = Callable[[str], str]
"""A text of a table or a picture in the reader's language."""


@dataclass(frozen=True)
class Language:
    """One language.

    Args:
        template: file beside this one.
        page: below docs.
        folder: of the pictures, below docs/pictures/case-study.
        words: English text → this language's; texts that are not there stay as they are.
        spaced: words stand apart, so that paragraphs can be broken into lines.
    """

    template: str
    page: str
    folder: str
    words: Mapping[str, str]
    spaced: bool

    def say(self, text: str) -> str:
        """The text in this language."""
        return self.words.get(text, text)


ENGLISH = Language("template.md", "case-study.md", "", {}, spaced=True)
CHINESE = Language("template.zh.md", "zh/case-study.md", "zh", WORDS, spaced=False)
ALL = (ENGLISH, CHINESE)
