"""Device and precision of training."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from forecaster.errors import InputError


def choose_device(name: str) -> torch.device:
    """The device by name; `auto` takes a GPU if there is one.

    Raises:
        InputError: the machine has no such device.
    """
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if here[kind]))
    if not here[name]:
        raise InputError(f"training.device is {name}, but this machine has none: use auto or cpu.")
    return torch.device(name)


def require_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision that the device has no instructions for: torch would take six times as long, or fail.

    Raises:
        InputError: bfloat16 on such a device.
    """
    if precision == "bfloat16" and not _has_bfloat16(device):
        raise InputError(
            f"training.precision is bfloat16, but this machine's {device.type} has no instructions for it: use float32."
        )


def autocast(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Run the network's matmuls in the given precision; weights, loss and optimiser stay in float32.

    Source: Micikevicius et al. (2018), "Mixed Precision Training".
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
