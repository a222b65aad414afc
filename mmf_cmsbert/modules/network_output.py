"""What the network computes."""

from dataclasses import dataclass

from torch import Tensor


@dataclass
class CMSBertOutput:
    """What the network computes for a batch.

    Attributes:
        logits: the head's output, ``(batch, outputs)``: the sentiment itself for regression
            (``outputs`` is 1), one logit a class for classification.
        embeddings: modality -> L2-normalised embedding in the common space, ``(batch, embed_dim)``.
        present: modality -> whether a segment has that modality at all, bool ``(batch,)``.
    """

    logits: Tensor
    embeddings: dict[str, Tensor]
    present: dict[str, Tensor]
