"""Vectors of modalities in two dimensions, and how well they are aligned."""

from collections.abc import Mapping
from itertools import combinations
from typing import TypeVar

import numpy as np

from mmf_cmsbert.report.collected import Alignment, Embeddings, Point

Vectors = Mapping[str, Mapping[int, np.ndarray]]
Key = TypeVar("Key")
_SHOWN = 400
_COMPARED = 2000


def embeddings(pooled: Vectors, projected: Vectors, count: int) -> Embeddings | None:
    """Project the vectors of a split to two dimensions.

    Args:
        pooled: modality -> position -> state before the projection ``(dim of the modality,)``.
        projected: modality -> position -> embedding in the common space ``(dim,)``, of length 1.
        count: number of segments.

    Returns:
        None with fewer than three vectors of each modality.
    """
    used = [name for name in projected if len(projected[name]) > 2]
    if not used:
        return None
    shown = sorted(set(np.linspace(0, count - 1, min(count, _SHOWN)).round().astype(int).tolist()))
    before, explained = {}, {}
    for name in used:
        points, explained[name] = _plane(pooled[name])
        before[name] = [points.get(i) for i in shown]
    both = {(name, i): row for name in used for i, row in projected[name].items()}
    places, explained["after"] = _plane(both)
    after = {name: [places.get((name, i)) for i in shown] for name in used}
    pairs = [alignment(one, other, projected) for one, other in combinations(used, 2)]
    return Embeddings(
        segments=shown,
        before=before,
        after=after,
        explained={name: round(share, 4) for name, share in explained.items()},
        alignments=[each for each in pairs if each],
    )


def _plane(vectors: Mapping[Key, np.ndarray]) -> tuple[dict[Key, Point], float]:
    """The vectors on their two principal axes, and the share of the variance there."""
    matrix = np.stack(list(vectors.values())).astype(np.float64)
    matrix -= matrix.mean(0)
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    # The sign of an axis is arbitrary: the largest weight points up, so that pictures repeat.
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(1)])
    plane = (left * sizes * signs)[:, :2]
    plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    variance = np.square(sizes)
    share = float(variance[:2].sum() / variance.sum()) if variance.sum() > 0 else 1.0
    points = [(round(float(x), 3), round(float(y), 3)) for x, y in plane]
    return dict(zip(vectors, points, strict=True)), share


def alignment(one: str, other: str, projected: Vectors) -> Alignment | None:
    """Compare the embeddings of two modalities; None where fewer than two segments have both."""
    both = sorted(projected[one].keys() & projected[other].keys())
    if len(both) < 2:
        return None
    if len(both) > _COMPARED:
        both = [both[i] for i in np.linspace(0, len(both) - 1, _COMPARED).round().astype(int)]
    first, second = (np.stack([projected[name][i] for i in both]) for name in (one, other))
    similar = first.astype(np.float64) @ second.T.astype(np.float64)
    own = np.diag(similar)
    count = len(both)
    return Alignment(
        one=one,
        other=other,
        count=count,
        same=float(own.mean()),
        different=float((similar.sum() - own.sum()) / (count * (count - 1))),
        # An embedding that equals others found nothing.
        found=float(((similar >= own[:, None]).sum(1) == 1).mean()),
    )
