"""Word pieces of padded groups as one row without padding, and attention within segments."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from mmf_cmsbert.modules.backbone import encoder_layers

# The name that transformers knows the attention below by.
ATTENTION = "cmsbert_packed"
# Models whose positions count from 0 and whose attention can be replaced; others have their own
# ways.
_MODEL_TYPES = ("bert",)


class Packing:
    """Between groups of padded segments and one row of all their word pieces.

    Args:
        masks: of each group, nonzero where there is a piece, ``(segments, pieces)``.
    """

    def __init__(self, masks: Iterable[Tensor]):
        self.masks = [mask.bool() for mask in masks]
        # Where in the flat group each piece comes from, and each position of the group in the row;
        # padding takes the first piece, and is masked wherever it could matter.
        self._from = [mask.flatten().nonzero().squeeze(1) for mask in self.masks]
        self._to = [(mask.flatten().cumsum(0) - 1) * mask.flatten() for mask in self.masks]
        self._sizes = [len(each) for each in self._from]
        starts = accumulate(self._sizes[:-1], initial=0)
        self._firsts = torch.cat(
            [
                start + to.view_as(mask)[:, 0]
                for start, to, mask in zip(starts, self._to, self.masks, strict=True)
            ]
        )

    def pack(self, groups: Sequence[Tensor]) -> Tensor:
        """``(segments, pieces, ...)`` of each group to ``(1, all pieces, ...)``."""
        rows = [g.flatten(0, 1).index_select(0, i) for g, i in zip(groups, self._from, strict=True)]
        return torch.cat(rows).unsqueeze(0)

    def unpack(self, packed: Tensor) -> list[Tensor]:
        """``(1, all pieces, ...)`` to ``(segments, pieces, ...)`` of each group, any padding."""
        rows = zip(packed.squeeze(0).split(self._sizes), self._to, self.masks, strict=True)
        return [row.index_select(0, i).unflatten(0, mask.shape) for row, i, mask in rows]

    def firsts(self, packed: Tensor) -> Tensor:
        """``(1, all pieces, ...)`` to the first piece of each segment, ``(1, segments, ...)``."""
        return packed.index_select(1, self._firsts)

    def split(self, segments: Tensor) -> tuple[Tensor, ...]:
        """``(segments, ...)`` of all groups to those of each."""
        return segments.split([len(mask) for mask in self.masks])

    def positions(self) -> Tensor:
        """The place of each piece in its segment, ``(1, all pieces)``."""
        return self.pack(
            [torch.arange(m.size(1), device=m.device).expand_as(m) for m in self.masks]
        )


def allow_packing(backbone: PreTrainedModel) -> None:
    """Let a backbone take packed pieces, as ``packing=``, if it is a model that can."""
    if backbone.config.model_type in _MODEL_TYPES:
        backbone.set_attn_implementation(ATTENTION)


def packs(backbone: PreTrainedModel) -> bool:
    """Whether a backbone takes packed pieces: not after it was given another attention."""
    return backbone.config._attn_implementation == ATTENTION


@contextmanager
def first_pieces_at_last(backbone: PreTrainedModel, packing: Packing) -> Iterator[None]:
    """Within the context, a backbone that packs gives the first pieces' states alone.

    In its last layer every piece is still attended to, but what follows the attention there, most
    of the layer's work, is computed for ``[CLS]`` only.
    """

    # what was attended to, and what it is added to
    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(packing.firsts(each) for each in inputs)

    last = encoder_layers(backbone)[-1]
    handle = last.get_submodule("attention.output").register_forward_pre_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    packing: Packing | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it; what is packed attends within its own segment.

    query, key and value are ``(batch, heads, pieces, dim)``; gives ``(batch, pieces, heads, dim)``.
    """
    if packing is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **others
        )
    groups = zip(
        *(packing.unpack(states.transpose(1, 2)) for states in (query, key, value)),
        packing.masks,
        strict=True,
    )
    # torch's flash kernel for CPUs is slow with segments as short as these, and has no dropout.
    on_cpu = query.device.type == "cpu"
    with sdpa_kernel(SDPBackend.MATH) if on_cpu else nullcontext():
        attended = [
            F.scaled_dot_product_attention(
                q.transpose(1, 2),
                k.transpose(1, 2),
                v.transpose(1, 2),
                attn_mask=mask[:, None, None, :],
                dropout_p=dropout if module.training else 0.0,
                scale=scaling,
            ).transpose(1, 2)
            for q, k, v, mask in groups
        ]
    return packing.pack(attended), None


AttentionInterface.register(ATTENTION, _attend)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
