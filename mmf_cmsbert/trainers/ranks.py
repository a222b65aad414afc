"""The processes of a run, and communication between them."""

import random
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """The rank of this process among the processes of a run.

    Args:
        rank: number of this process, from 0.
        count: number of processes.
        device: device of this process.
    """

    rank: int
    count: int
    device: torch.device

    @classmethod
    def present(cls, device: torch.device) -> "Ranks":
        """Return the ranks of torch.distributed, or a single one if it is not initialised."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls(0, 1, device)
        return cls(distributed.get_rank(), distributed.get_world_size(), device)

    def broadcast(self, value: Any) -> Any:
        """Return the value of the first process."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of ranks, on each of them."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def weight(self, samples: int) -> Tensor:
        """Return the weight of a loss that is the mean over ``samples`` samples, a scalar.

        The mean of weighted losses over all processes is the mean over all samples. If all
        processes have the same number of samples, the weight is 1.
        """
        total = torch.tensor(float(samples), device=self.device)
        distributed.all_reduce(total)
        return samples * self.count / total

    def separate_generators(self) -> None:
        """Seed the generators of each process differently, from the states of the first process.

        The generators of the first process do not change. A checkpoint therefore needs only the
        states of the first process to resume exactly.
        """
        if self.count == 1:
            return
        state = torch.get_rng_state()
        if torch.cuda.is_initialized():
            state = torch.cat([state, torch.cuda.get_rng_state(self.device)])
        seed = self.broadcast(zlib.crc32(state.numpy().tobytes()))
        if self.rank > 0:
            seed = (seed + self.rank) % 2**32
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
