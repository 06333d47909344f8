"""Marks of tests that not every system can run."""

from __future__ import annotations

import sys

import pytest

needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux: /proc, capabilities, a limit of address space that holds"
)
