"""The processes of one training (torch.distributed), which share the rows of every batch; `torchrun` starts them.

Rank 0 runs the command, measures, writes and reports. The others hold the same weights and do as its messages say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forecaster.axes import Float
from forecaster.errors import InputError, LostRankError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from forecaster.training.adamw import AdamW

COMMAND = "PYTHONSAFEPATH=1 torchrun --nproc-per-node K -m forecaster"


class Ranks:
    """This process's place among those that train together.

    Args:
        rank: 0 for the process that leads.
        size: number of processes, on all machines.
        local: place of this process on its machine, and of its GPU.
    """

    def __init__(self, rank: int = 0, size: int = 1, local: int = 0) -> None:
        self.rank, self.size, self.local = rank, size, local
        self.run = ""
        """Name of the run in training, once there is one to resume."""
        self.is_lost = False
        """Whether another process was found to have ended."""
        self._dismissed = False

    @property
    def share(self) -> slice:
        """The rows of a batch that are this process's."""
        return slice(self.rank, None, self.size)

    def require_batch(self, batch: int) -> None:
        """Refuse a batch that cannot be shared evenly.

        Raises:
            InputError: it is no multiple of the number of processes.
        """
        if batch % self.size:
            more = batch + self.size - batch % self.size
            raise InputError(
                f"training.batch is {batch}, which {self.size} processes cannot share evenly: "
                f"choose a multiple of {self.size}, such as --set training.batch={more}."
            )

    def device(self, chosen: torch.device) -> torch.device:
        """The device by its type; of several GPUs each process has its own.

        Raises:
            InputError: there are fewer GPUs than processes, or the device cannot be shared.
        """
        import torch

        if self.size > 1 and chosen.type == "mps":
            raise InputError("training.device mps trains in one process: use cpu, or start it without torchrun.")
        if self.size > 1 and chosen.type == "cuda" and self.local >= (here := torch.cuda.device_count()):
            raise InputError(
                f"training.device is cuda, with {here} here, fewer than processes: use --nproc-per-node {here}, or cpu."
            )
        return chosen

    def lost(self) -> LostRankError:
        """What there is to say when another process ended."""
        then = f"continue with {COMMAND} train --resume {self.run} (any K)" if self.run else "start it again"
        self.is_lost = True
        return LostRankError(f"a process of this training ended, and the others with it: {then}.")

    def send(self, order: str, **details: Any) -> None:
        """Give the other processes an order, from rank 0; alone, nothing."""
        if self.size > 1:
            self._broadcast(json.dumps({"order": order, "run": self.run, **details}).encode())

    def receive(self) -> Mapping[str, Any]:
        """The next order of rank 0."""
        message: dict[str, Any] = json.loads(self._broadcast(b""))
        self.run = message["run"]
        return message

    def dismiss(self) -> None:
        """Let the other processes end, from rank 0: there is nothing left to share."""
        if not self.rank and not self._dismissed:
            self._dismissed = True
            self.send("end")

    def align(self, network: nn.Module, optimiser: AdamW, step: int) -> int:
        """Give every process the weights, the optimiser's state and the step of rank 0."""
        if self.size == 1:
            return step
        import torch
        from torch.distributed import broadcast

        place = torch.tensor(step, device="cpu")
        states = (value for state in optimiser.state for value in state.values())
        with self._together(), torch.no_grad():
            for tensor in (place, *network.state_dict().values(), *states):
                broadcast(tensor, 0)
        return int(place)

    def mean(
        self, parameters: Iterable[nn.Parameter], loss: Float[Tensor, ""], known: Float[Tensor, ""]
    ) -> Float[Tensor, ""]:
        """Make the gradients those of the whole batch.

        Args:
            loss: mean over the cells of this process's rows, as its gradients are.
            known: number of these cells.

        Returns:
            The loss of the whole batch.
        """
        import torch
        from torch.distributed import all_reduce

        gradients = [one.grad for one in parameters if one.grad is not None]
        # Means back to sums. One message a step: sums of gradients, sum of losses, number of cells.
        sums = torch.cat([*(one.flatten() for one in gradients), loss.detach().view(1)]).mul_(known)
        sums = torch.cat([sums, known.to(sums).view(1)])
        with self._together():
            all_reduce(sums)
        # A batch without a known outcome has loss 0, not 0 / 0.
        sums.div_(sums[-1].clone().clamp_min_(1))
        *parts, whole, _ = torch.split(sums, [*(one.numel() for one in gradients), 1, 1])
        torch._foreach_copy_(gradients, [part.view_as(one) for part, one in zip(parts, gradients, strict=True)])
        return whole[0]

    def _broadcast(self, content: bytes) -> bytes:
        """The bytes of rank 0: first how many, then themselves."""
        import torch
        from torch.distributed import broadcast

        with self._together():
            size = torch.tensor(len(content), device="cpu")
            broadcast(size, 0)
            found = torch.tensor(list(content) or [0] * int(size), dtype=torch.uint8, device="cpu")
            broadcast(found, 0)
        return bytes(found.tolist())

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Communicate; what fails is that another process is gone."""
        try:
            yield
        except RuntimeError as error:
            raise self.lost() from error


ALONE = Ranks()
"""A training in one process."""
