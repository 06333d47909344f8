"""HTML pages from jinja2 templates: all text that is not markup is escaped, and a page loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from forecaster.show.theme import THEME

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Table:
    """Text in rows, for the macro of `table.html`; the first cell of a row is its header.

    Args:
        strong: indices of the rows to emphasise.
    """

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    strong: frozenset[int] = frozenset()


def render(template: str, *, style: str, script: str = "", **values: object) -> str:
    """A whole page, from a template that extends `base.html`.

    Args:
        template: its path below this folder.
        style: CSS after the theme's.
        script: JavaScript; the page runs no other.
        values: what the template names.
    """
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    whole = THEME + style
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {_allowed(whole)}; img-src data:"
    return environment.get_template(template).render(
        style=Markup(whole),
        script=Markup(script),
        policy=f"{policy}; script-src {_allowed(script)}" if script else policy,
        **values,
    )


def own(name: str) -> str:
    """The text of a style sheet or script of this package."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def _allowed(text: str) -> str:
    """An inline element's name in a Content Security Policy: only one with exactly this text is applied."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
