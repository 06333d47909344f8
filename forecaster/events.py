"""What long work calls to tell how far it is; the terminal shows it, and a library's user may listen too."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]
"""Called with what happens now, in words."""

Tick = Callable[[int, int, float | None, float | None], None]
"""Called after every optimiser step with step, steps, and where measured the loss and the validation skill."""
