"""The processes of a run, and what they tell each other."""

import random
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """This process among all of a run.

    Args:
        rank: its number, from 0.
        count: how many there are.
        device: where it computes.
    """

    rank: int
    count: int
    device: torch.device

    @classmethod
    def present(cls, device: torch.device) -> "Ranks":
        """Those that there are, one where none were started."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls(0, 1, device)
        return cls(distributed.get_rank(), distributed.get_world_size(), device)

    def broadcast(self, value: Any) -> Any:
        """What the first process has."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]

    def gather(self, value: Any) -> list[Any]:
        """What each process has, in the order of their ranks, on all of them."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def weight(self, samples: int) -> Tensor:
        """What a loss that is a mean over ``samples`` is multiplied by, so that the mean over all
        processes is the mean over all samples: a scalar, 1 where all have as many.
        """
        total = torch.tensor(float(samples), device=self.device)
        distributed.all_reduce(total)
        return samples * self.count / total

    def part_generators(self) -> None:
        """Let the random numbers of each process follow from those of the first, and differ.

        The first one's stay as they are. Its states are what a checkpoint keeps, and enough to go
        on exactly.
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
