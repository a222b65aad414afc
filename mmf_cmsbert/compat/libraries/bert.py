"""BERT's encoder and base class with the interface of transformers 2.3."""

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.models.bert import modeling_bert as library

_Encoder: Any = library.BertEncoder


class BertEncoder(_Encoder):
    """The library's encoder with the arguments and return values of release 2.3."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        head_mask: list[None] | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> tuple[Any, ...]:
        """Run all layers.

        Args:
            hidden_states: `(batch, words, dim)`
            attention_mask: added to the attention scores, `(batch, 1, 1 or words, words)`
            head_mask: None for each layer
            encoder_hidden_states: `(batch, encoder words, dim)`, for cross-attention
            encoder_attention_mask: added to the cross-attention scores
            output_attentions: whether to return attentions; None for the config's value
            output_hidden_states: whether to return hidden states; None for the config's value

        Returns:
            The hidden states of the last layer; then, if requested, a tuple of the hidden states
            before, between and after the layers, and a tuple of each layer's attention
            `(batch, heads, words, words)`.

        Raises:
            NotImplementedError: a head mask is not None; the library no longer supports it
        """
        if any(mask is not None for mask in head_mask or ()):
            raise NotImplementedError("the installed transformers does not mask attention heads")

        states, attentions, hooks = [hidden_states], list[Any](), list[Any]()
        for layer in self.layer:
            hooks.append(layer.register_forward_hook(lambda _, __, out: states.append(out)))
            hooks.append(
                layer.attention.self.register_forward_hook(
                    lambda _, __, out: attentions.append(out[1])
                )
            )
        try:
            output = super().forward(
                hidden_states,
                attention_mask,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_attention_mask,
            )
        finally:
            for hook in hooks:
                hook.remove()

        result: tuple[Any, ...] = (output.last_hidden_state,)
        if _first(output_hidden_states, self.config.output_hidden_states):
            result += (tuple(states),)
        if _first(output_attentions, self.config.output_attentions):
            result += (tuple(attentions),)
        return result


def _first(asked: bool | None, configured: bool) -> bool:
    return configured if asked is None else asked


def init_weights(self: PreTrainedModel) -> None:
    """Initialise all weights; on the first call by the library's `post_init()`."""
    if "all_tied_weights_keys" in vars(self):
        PreTrainedModel.init_weights(self)
    else:
        self.post_init()  # sets `all_tied_weights_keys`, and calls this function again


class BertPreTrainedModel(library.BertPreTrainedModel):
    """The library's base class for models whose constructors do not call `post_init()`.

    A constructor calls `init_weights()`, or nothing; then the model has no tied weights.
    """

    all_tied_weights_keys: dict[str, str] = {}
    init_weights = init_weights


def tie_or_clone_weights(
    self: library.BertPreTrainedModel, target: torch.nn.Linear, source: torch.nn.Embedding
) -> None:
    """Tie the weights of an output layer to those of the input embeddings."""
    target.weight = source.weight
