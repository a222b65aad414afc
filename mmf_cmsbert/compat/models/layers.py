"""BERT's layers in main's stock models, and their compilation with torch.jit."""

from typing import Any

from mmf_cmsbert.compat.imports import replace_function
from mmf_cmsbert.compat.patch import patch


class NotAttachedError(RuntimeError, AttributeError):
    """A model has no Lightning trainer. `hasattr` expects an AttributeError."""


@patch(
    "mmf.modules.hf_layers",
    "main",
    why="vilbert and mmbt replace layers of transformers, in the whole process, by versions for "
    "torch.jit that need transformers 4.10. The library's layers compute the same; torch.jit only "
    "has to skip properties that read a configuration or a trainer.",
    remove_when="MMF's layers fit the installed transformers.",
)
def keep_library_layers() -> bool:
    from mmf.models import vilbert
    from mmf.models.base_model import BaseModel
    from mmf.modules import hf_layers
    from transformers import PreTrainedModel

    if hasattr(hf_layers.BertSelfAttention, "transpose_for_scores"):
        return False
    for name in ("replace_with_jit", "undo_replace_with_jit"):
        replace_function(hf_layers, name, lambda original: lambda: None)
    vilbert.BertEmbeddings = hf_layers.BertEmbeddingsJit
    BaseModel.trainer = _raising_attribute_errors(BaseModel.trainer)
    model: Any
    for model in (PreTrainedModel, hf_layers.BertModelJit, BaseModel):
        model.__jit_unused_properties__ = [
            name for name in dir(model) if isinstance(getattr(model, name, None), property)
        ]
    return True


def _raising_attribute_errors(original: Any) -> property:
    def trainer(self: Any) -> Any:
        try:
            return original.fget(self)
        except RuntimeError as error:
            raise NotAttachedError(str(error)) from None

    return property(trainer, original.fset)
