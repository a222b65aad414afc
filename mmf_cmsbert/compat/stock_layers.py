"""BERT's layers as main's own models find them, and what compiles with torch.jit.

Main's vilbert and mmbt put layers that torch.jit can compile in the place of those of transformers,
for the whole process. They were written for the parts of release 4.10, and do not fit today's. The
library's layers compute the same. That main's models can be compiled all the same takes little: its
own embeddings in vilbert, and that torch.jit passes over what today's libraries say of a model in
properties, which ask for a configuration or a trainer.
"""

from importlib.util import find_spec
from typing import Any

from mmf_cmsbert.compat.imports import replace_function


class NotAttachedError(RuntimeError, AttributeError):
    """A model has no trainer of Lightning's: what Lightning raises, and what `hasattr` expects."""


def apply() -> None:
    """Leave the library's layers where they are, unless they still have the parts."""
    if find_spec("mmf.modules.hf_layers") is None:  # 1.0.0rc10
        return
    from mmf.models import vilbert
    from mmf.models.base_model import BaseModel
    from mmf.modules import hf_layers
    from transformers import PreTrainedModel

    if hasattr(hf_layers.BertSelfAttention, "transpose_for_scores"):
        return
    for name in ("replace_with_jit", "undo_replace_with_jit"):
        replace_function(hf_layers, name, lambda original: lambda: None)
    vilbert.BertEmbeddings = hf_layers.BertEmbeddingsJit
    BaseModel.trainer = _trainer_or_none_to_ask(BaseModel.trainer)
    for model in (PreTrainedModel, hf_layers.BertModelJit, BaseModel):
        model.__jit_unused_properties__ = [
            name for name in dir(model) if isinstance(getattr(model, name, None), property)
        ]


def _trainer_or_none_to_ask(original: property) -> property:
    def trainer(self: Any) -> Any:
        try:
            return original.fget(self)
        except RuntimeError as error:
            raise NotAttachedError(str(error)) from None

    return property(trainer, original.fset)
