"""Convert the outputs of the heads to scores."""

from torch import Tensor

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.modules.network_output import NetworkOutput


def target_scores(
    output: NetworkOutput, settings: CMSBERTConfig, dataset: str
) -> dict[str, Tensor]:
    """Return the scores ``(batch, outputs)`` of each target of a dataset, the main one first.

    A number is its own score; classes and labels have logits. Of sentiment in classes
    (``head.classes``) see :func:`sentiment_of`.

    Args:
        output: the network's output for a batch.
        settings: the model's configuration.
        dataset: the dataset that the batch comes from.
    """
    first, classes = next(iter(settings.heads())), settings.head.classes
    names = settings.predicted(dataset)
    outputs = [output.logits, *output.further.values()]
    return {
        name: sentiment_of(logits, classes if name == first else None)
        for name, logits in zip(names, outputs, strict=True)
    }


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
