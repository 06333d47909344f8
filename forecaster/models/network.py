"""Body, decoder and head: inputs → standardised quantiles for every step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from forecaster.axes import Float
from forecaster.models import Body, Memory
from forecaster.models.heads import make_head
from forecaster.models.threads import one_thread

_INITIAL_WEIGHT = 0.01
"""Standard deviation of the readout's initial weights: small, so that training starts at the base quantiles."""

Truth = Float[Tensor, "batch last horizon variable"]
Quantiles = Float[Tensor, "batch last horizon variable quantile"]
StepQuantiles = Float[Tensor, "batch last 1 variable quantile"]


class Network(nn.Module):
    """Reads candles and outputs, at each of the last ones, quantiles for every step and price.

    The readout decodes the hidden state at the newest candle. A direct decoder does so once, for all steps. A
    sequence-to-sequence decoder does so once a step: in between, a GRU cell updates the hidden state and is fed the
    median candle of the step before.

    Args:
        body: makes the states.
        input_size: features per candle.
        head: name of the head.
        base: pooled training quantiles of the standardised move, for the trained steps.
        decoder_steps: 1 for a direct decoder, the number of steps for sequence-to-sequence.
        teacher_forcing: probability, in training, of feeding back the actual candle instead of the median.
        pooled: the same quantiles for all forecast steps; more than in `base` where the rest are reached by rollout.

    Source: Sutskever et al. (2014) for the sequence-to-sequence decoder, Williams & Zipser (1989) for teacher forcing.
    """

    def __init__(
        self,
        body: Body,
        *,
        input_size: int,
        head: str,
        base: Float[Tensor, "horizon variable quantile"],
        decoder_steps: int = 1,
        teacher_forcing: float = 0.0,
        pooled: Float[np.ndarray, "steps variable quantile"] | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        heads = [make_head(head, part) for part in base.chunk(decoder_steps)]
        self.heads = nn.ModuleList(heads)
        self.horizon, variables = base.shape[:2]
        # Outputs of one decoder step: [step, variable, raw].
        self.cells = (self.horizon // decoder_steps, variables, heads[0].parameters_per_cell)
        self.pooled = base.numpy() if pooled is None else pooled
        # Decoder steps share one readout; the skip connection has separate weights for each.
        outputs = base.shape[0] * base.shape[1] * self.cells[-1]
        self.readout = nn.Linear(body.output_size, outputs // decoder_steps)
        self.skip = nn.Linear(input_size, outputs) if body.skip else None
        nn.init.normal_(self.readout.weight, std=_INITIAL_WEIGHT)
        nn.init.zeros_(self.readout.bias)
        if self.skip is not None:
            nn.init.zeros_(self.skip.weight)
            nn.init.zeros_(self.skip.bias)
        self.carry = nn.GRUCell(variables, body.output_size) if decoder_steps > 1 else None
        self.teacher_forcing = teacher_forcing

    def forward(self, inputs: Float[Tensor, "batch time feature"], last: int, truth: Truth | None = None) -> Quantiles:
        """Forecasts made at each of the `last` candles.

        Args:
            truth: actual standardised moves, for teacher forcing.
        """
        tail = getattr(self.body, "tail", None)
        states = self.body(inputs)[:, -last:] if tail is None else tail(inputs, last)
        return self._decode(states, inputs[:, -last:], truth)

    def _decode(
        self,
        states: Float[Tensor, "batch last state"],
        inputs: Float[Tensor, "batch last feature"],
        truth: Truth | None = None,
    ) -> Quantiles:
        decoder_steps = len(self.heads)
        linear = (None,) * decoder_steps if self.skip is None else self.skip(inputs).chunk(decoder_steps, dim=-1)
        found: list[Tensor] = []
        for step, head in enumerate(self.heads):
            if self.carry is not None and step:
                states = _update_state(self.carry, self._fed_back(found[-1], step - 1, truth), states)
            raw = self.readout(states)
            if linear[step] is not None:
                raw = raw + linear[step]
            found.append(head(raw.unflatten(-1, self.cells)))
        # cat of a single part would copy it, and the memory layout decides the last bits of gradients.
        return torch.cat(found, dim=2) if decoder_steps > 1 else found[0]

    def _fed_back(
        self, quantiles: StepQuantiles, step: int, truth: Truth | None
    ) -> Float[Tensor, "batch last variable"]:
        """The median candle of a step, or the actual one (teacher forcing), drawn separately for each forecast."""
        # Levels are symmetric about the median, which is therefore the middle one.
        median = quantiles[:, :, 0, :, quantiles.shape[-1] // 2]
        if truth is None or not self.teacher_forcing:
            return median
        # Drawn on the CPU: the same seed then forces the same forecasts on every device.
        forced = torch.rand(truth.shape[:2], device="cpu").to(truth.device) < self.teacher_forcing
        return torch.where(forced[..., None], truth[:, :, step], median)

    @one_thread()
    def run(
        self, inputs: Float[np.ndarray, "batch time feature"], last: int
    ) -> Float[np.ndarray, "batch last horizon variable quantile"]:
        """`forward` on arrays, without gradients."""
        with torch.inference_mode():
            outputs = self(torch.from_numpy(inputs).to(self.readout.weight.device), last)
        array: np.ndarray = outputs.cpu().numpy()
        return array

    @one_thread()
    def advance(
        self, inputs: Float[np.ndarray, "batch time feature"], memory: Memory = ()
    ) -> tuple[Float[np.ndarray, "batch horizon variable quantile"], Memory]:
        """The forecast at the newest candle, resumed from the hidden state `memory`, and the new hidden state."""
        with torch.inference_mode():
            candles = torch.from_numpy(inputs).to(self.readout.weight.device)
            states, memory = _read(self.body, candles, memory)
            # A body without `read` returns the states of earlier candles too.
            outputs = self._decode(states[:, -1:], candles[:, -1:])
        array: np.ndarray = outputs[:, 0].cpu().numpy()
        return array, memory


def _read(body: Body, inputs: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    """States of the new candles. A body without `read` reads the candles in its reach again."""
    read = getattr(body, "read", None)
    if read is not None:
        states, memory = read(inputs, memory)
        return states, memory
    candles = torch.cat([*memory, inputs], dim=1)
    kept = candles[:, -getattr(body, "reach", candles.shape[1]) :]
    return body(candles), (kept,)


def _update_state(cell: nn.GRUCell, fed: Tensor, states: Tensor) -> Tensor:
    carried: Tensor = cell(fed.flatten(0, 1), states.flatten(0, 1)).view_as(states)
    return carried
