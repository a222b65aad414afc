"""ViT for main's vilt and its image encoder, with the layout of the published weights."""

from typing import Any

import torch
from torch import Tensor, nn

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.modules.vit",
    "main",
    why="It is built from parts of transformers whose names and weights have changed, and from "
    "BERT's attention, for its mask.",
    remove_when="MMF builds it from the installed transformers.",
)
def restore_parts() -> bool:
    from mmf.modules import vit
    from transformers import modeling_outputs

    from mmf_cmsbert.compat.libraries.bert import init_weights

    library = vit.vit
    if hasattr(library, "ViTIntermediate"):
        return False
    vit.vit = imports.facade(
        library,
        ViTIntermediate=Intermediate,
        ViTOutput=Output,
        BaseModelOutput=modeling_outputs.BaseModelOutput,
    )
    vit.ViTAttention.__init__ = _build_attention
    vit.ViTAttention.forward = _attend
    vit.ViTModel.init_weights = init_weights
    if not hasattr(vit.ViTModel, "get_head_mask"):
        vit.ViTModel.get_head_mask = _head_mask
    if not hasattr(vit.ViTModel, "get_extended_attention_mask"):
        vit.ViTModel.get_extended_attention_mask = _added_to_scores
    return True


class Intermediate(nn.Module):
    """Maps `(batch, positions, hidden_size)` to `(batch, positions, intermediate_size)`."""

    def __init__(self, config: Any) -> None:
        from transformers.activations import ACT2FN

        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = ACT2FN[config.hidden_act]

    def forward(self, states: Tensor) -> Tensor:
        return self.intermediate_act_fn(self.dense(states))


class Output(nn.Module):
    """Maps `(batch, positions, intermediate_size)` to `(batch, positions, hidden_size)`.

    The residual is added.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        return self.dropout(self.dense(states)) + residual


class _SelfOutput(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        return self.dropout(self.dense(states))  # ViT adds the residual later


def _build_attention(self: nn.Module, config: Any) -> None:
    from transformers.models.bert.modeling_bert import BertSelfAttention

    nn.Module.__init__(self)
    if not hasattr(config, "is_decoder"):
        config.is_decoder = False
    self.attention = BertSelfAttention(config)
    self.output = _SelfOutput(config)


def _attend(
    self: Any,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    head_mask: None = None,
    output_attentions: bool = False,
) -> tuple[Tensor, ...]:
    if head_mask is not None:
        raise NotImplementedError("the installed transformers does not mask attention heads")
    states, weights = self.attention(hidden_states, attention_mask)
    output = (self.output(states, hidden_states),)
    return (*output, weights) if output_attentions else output


def _head_mask(self: nn.Module, head_mask: Any, layers: int) -> list[None]:
    if head_mask is not None:
        raise NotImplementedError("the installed transformers does not mask attention heads")
    return [None] * layers


def _added_to_scores(self: Any, mask: Tensor, shape: Any, device: Any) -> Tensor:
    """Convert a mask, `(batch, positions[, positions])`, to a term added to attention scores."""
    mask = mask[:, None, None, :] if mask.dim() == 2 else mask[:, None]
    return (1.0 - mask.to(self.dtype)) * torch.finfo(self.dtype).min
