"""How many processor cores the networks use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Work on one core, unless `OMP_NUM_THREADS` says otherwise; a decorator too.

    Networks of this size gain nothing from a second core; where other programs want it, the threads wait for each
    other in a busy loop and take several times as long.
    """
    threads = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
