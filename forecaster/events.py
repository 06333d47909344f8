"""Progress callbacks of long-running work: the terminal shows them, and library users can pass their own."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]
"""Called with a status message."""

Tick = Callable[[int, int, float | None, float | None], None]
"""Called after each optimiser step: step, total steps, loss, validation skill (the last two None if not measured)."""
