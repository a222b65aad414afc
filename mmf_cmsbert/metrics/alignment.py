"""How well two modalities are aligned in the common space, over a whole split.

Every function takes the embeddings of two modalities, ``(segments, dim)``, where row i of both
belongs to the same segment. They are normalised here and computed in float64. With fewer than two
segments there is nothing to align, and the result is NaN, as it is if an embedding is not finite.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

# Bins of the calibration error, as in Guo et al.
BINS = 15


def ranks(a: Tensor, b: Tensor) -> Tensor:
    """Return the rank of each segment's own embedding among all, in both directions.

    The first ``segments`` values are ranks of ``b`` by similarity to each row of ``a``, the others
    of ``a`` to ``b``. 1 is the best; equally similar ones share the mean of their ranks, so that
    embeddings that are all equal are at chance.

    Returns:
        float64 ``(2 * segments,)``.
    """
    similarities = _unit(a) @ _unit(b).T
    return torch.cat([_own_ranks(each) for each in (similarities, similarities.T)])


def recall_at(a: Tensor, b: Tensor, k: int) -> float:
    """Share of segments whose own embedding is among the k most similar, mean of both directions.

    Chance is ``k / segments``.
    """

    def share() -> Tensor:
        found = ranks(a, b)
        return torch.where(found.isnan(), found, (found <= k).double()).mean()

    return _or_nan(a, share)


def median_rank(a: Tensor, b: Tensor) -> float:
    """Median rank of a segment's own embedding, mean of both directions.

    Chance is ``(segments + 1) / 2``.
    """
    return _or_nan(a, lambda: ranks(a, b).view(2, -1).quantile(0.5, dim=1).mean())


def preference(a: Tensor, b: Tensor, candidates: Tensor | None = None) -> float:
    """Chance that a segment's own embedding is more similar than another candidate's.

    It is the area under the ROC curve of own against other pairs of each query, over all queries
    of both directions; ties count a half. Chance is 0.5. With candidates that share a trait with
    the query, such as its number of words, that trait does not help.

    Args:
        a: the embeddings of a modality.
        b: those of the other one.
        candidates: bool ``(segments, segments)``, symmetric: whether one segment is a candidate
            for the other; None for all others. The diagonal is ignored.
    """

    def chance() -> Tensor:
        similarities = _unit(a) @ _unit(b).T
        others = ~torch.eye(len(a), dtype=torch.bool)
        if candidates is not None:
            others &= candidates.cpu()
        won = torch.cat([_beaten(each)[others] for each in (similarities, similarities.T)])
        return won.mean()  # NaN without candidates

    return _or_nan(a, chance)


def distance(a: Tensor, b: Tensor) -> float:
    """Mean squared distance of the two embeddings of a segment: the loss ``alignment``.

    Wang & Isola, Understanding Contrastive Representation Learning through Alignment and Uniformity
    on the Hypersphere, ICML 2020, with exponent 2. 0 if they are equal, 2 if they are orthogonal.
    """
    return _or_nan(a, lambda: (_unit(a) - _unit(b)).square().sum(1).mean())


def uniformity(a: Tensor, b: Tensor) -> float:
    """Log of the mean of ``exp(-2 d ** 2)`` over pairs of segments, mean of both modalities.

    Wang & Isola, 2020. 0 if all embeddings are equal; the more negative, the more evenly they are
    spread over the sphere.
    """
    return _or_nan(
        a,
        lambda: torch.stack(
            [
                torch.pdist(_unit(each)).square().mul(-2).logsumexp(0)
                - math.log(len(each) * (len(each) - 1) / 2)
                for each in (a, b)
            ]
        ).mean(),
    )


def gap(a: Tensor, b: Tensor) -> float:
    """Distance between the mean embeddings of the modalities.

    Liang et al., Mind the Gap, NeurIPS 2022. 0 if both lie around the same place.
    """
    return _or_nan(a, lambda: (_unit(a).mean(0) - _unit(b).mean(0)).norm())


def calibration_error(
    a: Tensor, b: Tensor, temperature: float, candidates: int | None = None
) -> float:
    """Expected calibration error of the match probabilities, mean of both directions.

    The probability of a match is the softmax of the similarities divided by the temperature. The
    error is the mean over 15 bins of equal width of ``|accuracy - confidence|``, weighted by their
    number of queries (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).

    Args:
        a: the embeddings of a modality.
        b: those of the other one.
        temperature: the divisor.
        candidates: compare each segment with so many, itself included: the split is cut into
            groups in its order, as in training with batches of this size. Segments that are left
            over are not asked. None: with the whole split.
    """
    size = len(a) if candidates is None else candidates
    if len(a) < 2 or size < 2 or len(a) < size:
        return math.nan
    a, b = (
        _unit(each)[: len(each) // size * size].view(-1, size, each.shape[1]) for each in (a, b)
    )
    logits = a @ b.mT / temperature  # (groups, size, size)
    shares = torch.cat([logits, logits.mT]).softmax(-1)
    confidence, answer = shares.max(-1)
    right = (answer == torch.arange(size, device=a.device)).double().flatten()
    confidence = confidence.flatten()
    bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    off = torch.zeros(BINS, dtype=torch.float64, device=a.device)
    off.index_add_(0, bins, right - confidence)
    return (off.abs().sum() / len(confidence)).item()


PAIR_METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {
    **{f"alignment_recall_{k}": partial(recall_at, k=k) for k in (1, 5, 10)},
    "alignment_median_rank": median_rank,
    "alignment_distance": distance,
    "alignment_uniformity": uniformity,
    "alignment_gap": gap,
}


def _unit(embedding: Tensor) -> Tensor:
    # On the CPU, because some accelerators have no float64.
    return F.normalize(embedding.detach().to("cpu", torch.float64), dim=-1)


def _own_ranks(similarities: Tensor) -> Tensor:
    # A row's own embedding ties with itself, which gives it the half that its rank needs.
    return similarities.shape[1] + 0.5 - _beaten(similarities).sum(1)


def _beaten(similarities: Tensor) -> Tensor:
    """Return 1 where a row's own similarity is the greater one, 0.5 at ties, NaN with NaN."""
    own = similarities.diagonal().unsqueeze(1)
    # Equal up to rounding: products of equal rows differ by their order of summation.
    equal = torch.isclose(similarities, own, rtol=0, atol=1e-12)
    beaten = torch.where(equal, 0.5, (similarities < own).double())
    return torch.where(similarities.isnan() | own.isnan(), math.nan, beaten)


def _or_nan(given: Tensor, compute: Callable[[], Tensor]) -> float:
    return math.nan if len(given) < 2 else compute().item()
