"""Torch's number of CPU threads: the user's, or as many as cores are free."""

import torch

from mmf_cmsbert.utils import threads
from mmf_cmsbert.utils.threads import Threads

# Torch's own choice, unless it was changed before this module was imported.
_DEFAULT = torch.get_num_threads()


def set_threads(
    device: torch.device | None = None, recorded: int | None = None, processes: int = 1
) -> Threads:
    """Set the number of threads of this process, and return it with its reason.

    More threads than free cores wait for each other at every operation. A number that the user
    sets wins, by OMP_NUM_THREADS, by MKL_NUM_THREADS or by :func:`torch.set_num_threads`. With a
    GPU the number is not changed.

    Args:
        device: where the process computes; by default a GPU if available.
        recorded: the number of threads of the run that is resumed.
        processes: processes on this machine that share its cores and start together.
    """
    kind = device.type if device else "cuda" if torch.cuda.is_available() else "cpu"
    chosen = _chosen(kind, recorded, processes)
    torch.set_num_threads(chosen.count)
    return chosen


def _chosen(device: str, recorded: int | None, processes: int) -> Threads:
    present = torch.get_num_threads()
    if variable := threads.set_by_user():
        return Threads(present, variable)
    if present != _DEFAULT:
        return Threads(present, "set by torch.set_num_threads")
    if device != "cpu":
        return Threads(present, "torch's default")
    return threads.choose(present, recorded, processes)
