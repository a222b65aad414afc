"""Groups of segments of similar length, so that a batch needs little padding."""

from collections.abc import Sequence

import numpy as np


def group_by_length(
    lengths: Sequence[int], most: int | None = None, overhead: float = 0.0
) -> list[list[int]]:
    """Split a batch into the groups that cost least, each padded to its own longest segment.

    A group costs ``count * longest + overhead``. The split is exact: the best one is contiguous in
    the order of the lengths, and dynamic programming over the lengths that occur finds it.

    Args:
        lengths: one a segment, at least 1 each.
        most: no more groups than this; None for as many as pay for their overhead.
        overhead: what a group costs by itself, in padded positions.

    Returns:
        The segments' indices, group by group in ascending order of length.
    """
    order = np.argsort(lengths, kind="stable")
    ordered = np.asarray(lengths)[order]
    # Where a group may begin and end: 0, every change of length, and the end of the batch.
    cuts = np.flatnonzero(np.diff(ordered, prepend=0, append=0))
    longest = np.append(0, ordered[cuts[1:] - 1])
    # alone[j, i]: the segments from cut i to cut j as one group.
    alone = (cuts[:, None] - cuts) * longest[:, None] + float(overhead)
    alone[np.triu_indices_from(alone)] = np.inf
    least = np.where(cuts == 0, 0.0, np.inf)  # of the segments up to each cut, in no group at all
    begins: list[np.ndarray] = []
    while most is None or len(begins) < most:
        total = least + alone
        better = np.append(0.0, total[1:].min(1))
        # What a further group saves only shrinks (these costs are Monge): the first that does not
        # pay ends the search.
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
