"""What the processes of a run decide together, after the same update."""

import torch
from torch import distributed

from mmf_cmsbert.trainers.ranks import Ranks


class Agreement:
    """Learns of a signal that any of the processes has received, in all of them at the same time.

    The answer is that of the call before. So nobody waits for the slowest process, and a GPU is not
    waited for at all: the numbers are sent between the processors.

    Args:
        ranks: the processes, each of which has to make one.
    """

    def __init__(self, ranks: Ranks):
        self._alone = ranks.count == 1
        self._group = None if self._alone else distributed.new_group(backend="gloo")
        self._sent: torch.Tensor | None = None
        self._sending: distributed.Work | None = None

    def reached(self, number: int | None) -> int | None:
        """A number that some process gave in the last call; with one process, in this one.

        Args:
            number: what this process has to say, which it repeats from now on.
        """
        if self._alone:
            return number
        agreed = 0
        if self._sending is not None and self._sent is not None:
            self._sending.wait()
            agreed = int(self._sent)
        self._sent = torch.tensor(number or 0)
        self._sending = distributed.all_reduce(
            self._sent, distributed.ReduceOp.MAX, self._group, async_op=True
        )
        return agreed or None
