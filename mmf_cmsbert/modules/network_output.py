"""The network's output."""

from dataclasses import dataclass

from torch import Tensor


@dataclass
class NetworkOutput:
    """The network's output for a batch.

    Attributes:
        logits: the head's output, ``(batch, outputs)``: the sentiment for regression (``outputs``
            is 1), one logit per class for classification.
        embeddings: modality -> L2-normalised embedding in the common space, ``(batch, embed_dim)``.
        present: modality -> whether a segment has that modality, bool ``(batch,)``.
    """

    logits: Tensor
    embeddings: dict[str, Tensor]
    present: dict[str, Tensor]
