"""The seam between results and what draws them: results lie below `show` and may not import it.

`forecaster/__init__.py` connects the two. Nothing is imported here, as importing the package runs this module.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `forecaster/__init__.py`
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, Protocol

    class Picture(Protocol):
        """A picture that a notebook displays and that can be saved."""

        @property
        def svg(self) -> str: ...

        def save(self, path: Path | str) -> Path: ...

    class Display(Protocol):
        """What a result needs of `show`."""

        def html(self, result: Any) -> str: ...

        def picture(self, forecast: Any) -> Picture: ...

        def report_page(self, report: Any) -> str: ...


_loaders: list[Callable[[], Display]] = []


def connect(load: Callable[[], Display]) -> None:
    """Name what draws; `load` is called at the first result that is shown."""
    _loaders[:] = [load]


def display() -> Display:
    """What draws results."""
    return _loaders[0]()


class Displayable:
    """A result that a notebook shows as HTML."""

    def _repr_html_(self) -> str:
        return display().html(self)
