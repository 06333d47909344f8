"""The optimiser: AdamW on torch's functional form, with the state kept here.

torch's class does the same arithmetic, but its first call imports `torch.compile`: 1.3 CPU-seconds and 76 MB that no
training here needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Torch's defaults, from the Adam paper: Kingma & Ba (2015)."""

State = dict[str, Tensor]


class AdamW:
    """Adam with decoupled weight decay: Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization".

    All parameters are updated in one fused call where torch has one: small networks are bound by call overhead.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        self._parameters = list(parameters)
        self._decay = weight_decay
        self._fused = all(one.device.type in ("cpu", "cuda") for one in self._parameters)
        self.state = [self._fresh(one) for one in self._parameters]
        """For each parameter: steps taken, running means of its gradient and of the squared gradient."""

    def zero_grad(self) -> None:
        """Clear all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def clip(self, norm: float) -> None:
        """Clip the global gradient norm: Pascanu, Mikolov & Bengio (2013), "On the difficulty of training".

        Bit for bit torch's `clip_grad_norm_`, without its grouping by device and dtype.
        """
        gradients = [one.grad for one in self._parameters if one.grad is not None]
        found = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (norm / (found + 1e-6)).clamp_(max=1.0))

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient."""
        moved = [(one, state) for one, state in zip(self._parameters, self.state, strict=True) if one.grad is not None]
        adamw(
            [one for one, _ in moved],
            [one.grad for one, _ in moved if one.grad is not None],
            [state["exp_avg"] for _, state in moved],
            [state["exp_avg_sq"] for _, state in moved],
            # max_exp_avg_sqs, which only amsgrad has
            [],
            [state["step"] for _, state in moved],
            fused=self._fused,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=learning_rate,
            weight_decay=self._decay,
            eps=EPSILON,
            maximize=False,
        )

    def load(self, states: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Restore saved optimiser states; a parameter without one starts fresh.

        Raises:
            LookupError, RuntimeError: they are those of other parameters.
        """
        self.state = [
            {name: states.get(place, fresh)[name].to(value).reshape(value.shape) for name, value in fresh.items()}
            for place, fresh in enumerate(map(self._fresh, self._parameters))
        ]

    def _fresh(self, parameter: nn.Parameter) -> State:
        # Fused kernels read the step count on the parameter's device, the others on the CPU.
        device = parameter.device if self._fused else "cpu"
        return {
            "step": torch.zeros((), dtype=torch.float32, device=device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }
