"""How a process joins those that `torchrun` started beside it, and which of them says why they fail."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from forecaster.training.ranks import ALONE, Ranks

_PATIENCE = timedelta(hours=12)
"""How long a process waits for a living one, such as for rank 0 while it measures; one that ends is seen at once."""

_GRACE = 5.0
"""Seconds that torchrun has to stop a process whose peers are gone, before it ends by itself."""

_ranks = ALONE
_claims: Claims | None = None
_watch: threading.Thread | None = None


def launched() -> bool:
    """Whether this is one of several processes that train together."""
    size = os.environ.get("WORLD_SIZE", "")
    return size.isdecimal() and int(size) > 1


def ranks() -> Ranks:
    """This process's place among those that train together; alone unless it joined."""
    return _ranks


def may_fail_aloud() -> bool:
    """Whether this process is to say why it fails: the first one that asks, so that a training ends with one line."""
    return _claims is None or _claims.first()


class Claims:
    """The first of several processes that asks; torchrun keeps the count, whoever dies."""

    def __init__(self, store: Any) -> None:
        self._store, self._asked = store, False
        self._lock = threading.Lock()
        self._key = f"forecaster/failed/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"

    @property
    def asked(self) -> bool:
        """Whether this process has asked."""
        return self._asked

    def first(self) -> bool:
        """Ask; whether nobody did before."""
        with self._lock:
            self._asked = True
            try:
                return bool(self._store.add(self._key, 1) == 1)
            except RuntimeError:  # torchrun is gone: better two lines than none
                return True


def join(on_lost: Callable[[str], None]) -> Ranks:
    """Meet the other processes.

    Args:
        on_lost: writes the line with which this process ends if torchrun stops it because another one ended.
    """
    global _ranks, _claims, _watch
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # torch tells of each lost connection, several lines long
    if hasattr(signal, "pthread_sigmask"):  # before torch's threads begin: they inherit it
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        _watch = threading.Thread(target=_await_end, args=(on_lost,), daemon=True)
        _watch.start()
    import torch
    from torch import distributed
    from torch.distributed.rendezvous import rendezvous

    local = int(os.environ.get("LOCAL_RANK", "0"))
    gpu = torch.cuda.is_available()
    if gpu and local < torch.cuda.device_count():
        torch.cuda.set_device(local)
    store, rank, size = next(rendezvous("env://", timeout=_PATIENCE))
    _claims = Claims(store)
    # Each device's own library; orders and checks travel between CPUs.
    backend = "cpu:gloo,cuda:nccl" if gpu else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
    _ranks = Ranks(rank, size, local)
    return _ranks


def leave(code: int) -> None:
    """Part from the other processes at the end, whose exit code is known."""
    from torch import distributed

    if not code:
        _ranks.dismiss()
        distributed.destroy_process_group()
    elif _ranks.is_lost and _watch is not None:
        # torchrun stops this process too: so its report is of the one that failed first, not of this one.
        _watch.join(_GRACE)


def _await_end(on_lost: Callable[[str], None]) -> None:
    """End this process when torchrun stops it.

    In a thread and not in a signal handler: a process that waits for another's GPU runs no Python until it answers.
    """
    signal.sigwait({signal.SIGTERM})
    if _claims is not None and _claims.asked:
        return  # it fails by itself, and is saying why
    if may_fail_aloud():
        on_lost(str(_ranks.lost()))
    os._exit(4)
