"""Convert the output of the head to sentiment."""

from torch import Tensor


def sentiment_of(logits: Tensor, classes: int | None) -> Tensor:
    """Return the sentiment ``(batch, 1)`` of the head's output.

    With seven classes, -3 to 3, it is the likeliest class. With two classes, negative and
    non-negative, it is the difference of their probabilities; only its sign is meaningful.

    Args:
        logits: the head's output, ``(batch, outputs)``.
        classes: number of classes; None for regression.

    Returns:
        ``(batch, 1)``.
    """
    if not classes:
        return logits
    if classes == 2:
        probability = logits.softmax(-1)
        return probability[:, 1:] - probability[:, :1]
    return (logits.argmax(-1, keepdim=True) - classes // 2).to(logits.dtype)
