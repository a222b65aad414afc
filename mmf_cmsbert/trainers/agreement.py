"""Agreement of all processes of a run on a signal, after the same update."""

import torch
from torch import distributed

from mmf_cmsbert.trainers.ranks import Ranks


class Agreement:
    """Tells all processes, after the same update, that one of them received a signal.

    :meth:`reached` returns the result of the previous call, so no process waits for the slowest
    one. The numbers are sent between CPUs (gloo), so no process waits for a GPU.

    Args:
        ranks: the processes; each of them has to create an Agreement.
    """

    def __init__(self, ranks: Ranks):
        self._alone = ranks.count == 1
        self._group = None if self._alone else distributed.new_group(backend="gloo")
        self._sent: torch.Tensor | None = None
        self._sending: distributed.Work | None = None

    def reached(self, number: int | None) -> int | None:
        """Return the largest number that any process passed to the previous call, or None.

        With one process, return ``number``.

        Args:
            number: the signal that this process received; None for none. A process that passed a
                number passes it in all later calls.
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
