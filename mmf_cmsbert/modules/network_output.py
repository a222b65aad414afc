"""The network's output."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class NetworkOutput:
    """The network's output for a batch.

    Attributes:
        logits: the output of the head of the main target, ``(batch, outputs)``: the number for
            regression (``outputs`` is 1), one logit for each class or label otherwise.
        embeddings: modality -> L2-normalised embedding in the common space, ``(batch, embed_dim)``.
        present: modality -> whether a segment has that modality, bool ``(batch,)``.
        further: further target of the dataset -> the output of its head, ``(batch, outputs)``.
    """

    logits: Tensor
    embeddings: dict[str, Tensor]
    present: dict[str, Tensor]
    further: dict[str, Tensor] = field(default_factory=dict)
