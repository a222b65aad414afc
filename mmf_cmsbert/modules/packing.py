"""Pack the word pieces of padded groups into one row, with attention within segments."""

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

# The name under which transformers finds the attention below.
ATTENTION = "cmsbert_packed"
# Models whose positions count from 0 and whose attention can be replaced.
_MODEL_TYPES = ("bert",)


class Packing:
    """Converts between groups of padded segments and one row of all their word pieces.

    Args:
        masks: the mask of each group, nonzero for word pieces, ``(segments, pieces)``.
    """

    def __init__(self, masks: Iterable[Tensor]):
        self.masks = [mask.bool() for mask in masks]
        # Indices of pieces in the flat group, and of group positions in the row. Padding gets the
        # first piece, and is masked wherever it could matter.
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
        """Pack ``(segments, pieces, ...)`` of each group to ``(1, all pieces, ...)``."""
        rows = [g.flatten(0, 1).index_select(0, i) for g, i in zip(groups, self._from, strict=True)]
        return torch.cat(rows).unsqueeze(0)

    def unpack(self, packed: Tensor) -> list[Tensor]:
        """Unpack to ``(segments, pieces, ...)`` for each group, with arbitrary padding."""
        rows = zip(packed.squeeze(0).split(self._sizes), self._to, self.masks, strict=True)
        return [row.index_select(0, i).unflatten(0, mask.shape) for row, i, mask in rows]

    def firsts(self, packed: Tensor) -> Tensor:
        """Return the first piece of each segment, ``(1, segments, ...)``."""
        return packed.index_select(1, self._firsts)

    def split(self, segments: Tensor) -> tuple[Tensor, ...]:
        """Split ``(segments, ...)`` of all groups by group."""
        return segments.split([len(mask) for mask in self.masks])

    def positions(self) -> Tensor:
        """Return the position of each piece in its segment, ``(1, all pieces)``."""
        return self.pack(
            [torch.arange(m.size(1), device=m.device).expand_as(m) for m in self.masks]
        )


def allow_packing(backbone: PreTrainedModel) -> None:
    """Enable packed pieces, passed as ``packing=``, if the backbone supports them."""
    if backbone.config.model_type in _MODEL_TYPES:
        backbone.set_attn_implementation(ATTENTION)


def packs(backbone: PreTrainedModel) -> bool:
    """Return whether packed pieces are enabled: not after another attention was set."""
    return backbone.config._attn_implementation == ATTENTION


@contextmanager
def first_pieces_at_last(backbone: PreTrainedModel, packing: Packing) -> Iterator[None]:
    """Within the context, a backbone with packed pieces returns the states of first pieces only.

    In its last layer, attention still reads all pieces, but the operations after attention, most of
    the layer's work, are computed for ``[CLS]`` only.
    """

    # The inputs are the output of attention, and the residual.
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
    """Attention with transformers' interface; packed pieces attend within their segment.

    query, key and value are ``(batch, heads, pieces, dim)``; returns ``(batch, pieces, heads,
    dim)``.
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
    # torch's flash kernel for CPUs is slow for such short segments, and has no dropout.
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
