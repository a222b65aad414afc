"""Backbones that compute word pieces in one row, without padding."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from mmf_cmsbert.modules.attention import SegmentAttention
from mmf_cmsbert.modules.backbone import encoder_layers
from mmf_cmsbert.modules.packing import Packing

# The name under which transformers finds the attention below.
ATTENTION = "cmsbert_packed"
# Models whose positions count from 0 and whose attention can be replaced.
_MODEL_TYPES = ("bert",)


def allow_packing(backbone: PreTrainedModel) -> None:
    """Enable packed pieces, see :func:`encode_packed`, if the backbone supports them."""
    if backbone.config.model_type in _MODEL_TYPES:
        backbone.set_attn_implementation(ATTENTION)


def packs(backbone: PreTrainedModel) -> bool:
    """Return whether packed pieces are enabled: not after another attention was set."""
    return backbone.config._attn_implementation == ATTENTION


def encode_packed(
    backbone: PreTrainedModel, input_ids: Tensor, packing: Packing, firsts: bool
) -> Tensor:
    """Encode packed word pieces, which attend to pieces of their segment.

    Args:
        backbone: one that :func:`packs`.
        input_ids: ``(all pieces,)``.
        packing: their layout.
        firsts: whether to return only the first piece of each segment: in the last layer, what
            follows attention, most of the layer's work, is then computed for ``[CLS]`` only.

    Returns:
        States of the last layer, ``(all pieces, dim)`` or ``(batch, dim)``.
    """
    heads = backbone.config.num_attention_heads
    inputs = {
        "input_ids": input_ids.unsqueeze(0),
        "position_ids": packing.positions.unsqueeze(0),
        "segment_attention": SegmentAttention(packing, packing, heads),
    }
    if not firsts:
        return backbone(**inputs).last_hidden_state.squeeze(0)
    with _first_pieces_at_last(backbone, packing):
        return backbone(**inputs).last_hidden_state.squeeze(0)


@contextmanager
def _first_pieces_at_last(backbone: PreTrainedModel, packing: Packing) -> Iterator[None]:
    """Within the context, the last layer computes first pieces only, after its attention."""

    # The inputs are the output of attention, and the residual.
    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(packing.firsts(each.squeeze(0)).unsqueeze(0) for each in inputs)

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
    segment_attention: SegmentAttention | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention with transformers' interface; packed pieces attend within their segment.

    query, key and value are ``(batch, heads, pieces, dim)``; returns ``(batch, pieces, heads,
    dim)``.
    """
    if segment_attention is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **others
        )
    query, key, value = (each.squeeze(0).transpose(0, 1) for each in (query, key, value))
    dropout = dropout if module.training else 0.0
    attended = segment_attention(query, key, value, dropout, scaling)
    return attended.unsqueeze(0), None


def _mask(**options: Any) -> Tensor | None:
    """Return the mask of padded segments; arguments as transformers gives them to `sdpa_mask`.

    transformers makes none if there is no padding, but waits for the device to learn that.
    """
    if options.get("attention_mask") is not None:
        options["allow_is_bidirectional_skip"] = False
    return sdpa_mask(**options)


AttentionInterface.register(ATTENTION, _attend)
AttentionMaskInterface.register(ATTENTION, _mask)
