"""Groups of segments of similar length, so that a batch needs little padding."""

from collections.abc import Sequence

import numpy as np


def group_by_length(
    lengths: Sequence[float], most: int | None = None, overhead: float = 0.0
) -> list[list[int]]:
    """Split a batch into groups of minimal cost, each padded to its longest segment.

    A group costs ``count * longest + overhead``. The result is optimal: the best split is
    contiguous in the order of lengths, and dynamic programming over distinct lengths finds it.

    Args:
        lengths: the length of each segment, or another cost that grows with its length.
        most: largest number of groups; None for as many as reduce the cost.
        overhead: fixed cost of a group, in padded positions.

    Returns:
        The segments' indices, group by group in ascending order of length.
    """
    order = np.argsort(lengths, kind="stable")
    ordered = np.asarray(lengths)[order]
    # Possible boundaries of groups: 0, every change of length, and the end of the batch.
    cuts = np.flatnonzero(np.diff(ordered, prepend=0, append=0))
    longest = np.append(0, ordered[cuts[1:] - 1])
    # alone[j, i]: cost of the segments from cut i to cut j as one group.
    alone = (cuts[:, None] - cuts) * longest[:, None] + float(overhead)
    alone[np.triu_indices_from(alone)] = np.inf
    least = np.where(cuts == 0, 0.0, np.inf)  # minimal cost up to each cut, with no groups yet
    begins: list[np.ndarray] = []
    while most is None or len(begins) < most:
        total = least + alone
        better = np.append(0.0, total[1:].min(1))
        # The gain of another group never grows (these costs are Monge), so the first group without
        # a gain ends the search.
        if better[-1] >= least[-1]:
            break
        least = better
        begins.append(total.argmin(1))
    groups, end = [], len(cuts) - 1
    while end:
        begin = begins.pop()[end]
        groups.append(order[cuts[begin] : cuts[end]].tolist())
        end = begin
    return groups[::-1]
