"""Sentiment from what the head gives."""

from torch import Tensor


def sentiment_of(logits: Tensor, classes: int | None) -> Tensor:
    """The sentiment ``(batch, 1)`` that the head's output stands for.

    Seven classes are -3 to 3: the likeliest one. Two are negative and non-negative: the difference
    of their probabilities, whose sign is the class (its size is no sentiment).

    Args:
        logits: the head's output, ``(batch, outputs)``.
        classes: how many classes the head tells apart; None for regression.
    """
    if not classes:
        return logits
    if classes == 2:
        probability = logits.softmax(-1)
        return probability[:, 1:] - probability[:, :1]
    return (logits.argmax(-1, keepdim=True) - classes // 2).to(logits.dtype)
