"""transformers: BERT as it was in release 2.3, built from the parts of the installed release.

MMF takes BERT's parts from `transformers.modeling_bert` and builds models of its own with them. It
gets a module of that name with the library's parts, adapted where MMF would meet a changed
interface. The library's own modules stay as they are.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

from mmf_cmsbert.compat import imports, mmf_line

# old path: where it is now
_MOVED = {
    "configuration_auto": "models.auto.configuration_auto",
    "modeling_auto": "models.auto.modeling_auto",
    "tokenization_auto": "models.auto.tokenization_auto",
    "configuration_bert": "models.bert.configuration_bert",
    "modeling_bert": "models.bert.modeling_bert",
    "tokenization_bert": "models.bert.tokenization_bert",
}


def activate() -> None:
    import transformers
    from transformers import PreTrainedModel, optimization

    moved = [name for name in _MOVED if not _exists(f"transformers.{name}")]
    for old in moved:
        new = _MOVED[old]
        module = importlib.import_module(f"transformers.{new}")
        if old == "modeling_bert":
            module = bert(module)
            imports.replace_module(f"transformers.{new}", module)
        imports.replace_module(f"transformers.{old}", module)
        # nobody else has a use for these names, and plugins written for MMF have
        sys.modules[f"transformers.{old}"] = module
    if not hasattr(optimization, "AdamW"):
        from mmf_cmsbert.compat.adamw import AdamW

        imports.replace_module(
            "transformers.optimization", imports.facade(optimization, AdamW=AdamW)
        )
    if moved and mmf_line.is_main():
        # It imports each of the library's hundreds of models, which takes half a minute, to give
        # their modules the old paths. Those it needs are above; without this name it lets it be.
        imports.replace_module("transformers", imports.facade(transformers, without="models"))
    if not hasattr(PreTrainedModel, "_tie_or_clone_weights"):
        from mmf_cmsbert.compat.bert import tie_or_clone_weights

        PreTrainedModel._tie_or_clone_weights = tie_or_clone_weights


def _exists(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def bert(modeling_bert: ModuleType) -> ModuleType:
    """`transformers.models.bert.modeling_bert` with the names and the interface of release 2.3."""
    from torch import nn

    from mmf_cmsbert.compat import bert as adapted

    additions: dict[str, Any] = {
        "BertEncoder": adapted.BertEncoder,
        "BertPreTrainedModel": adapted.BertPreTrainedModel,
    }
    if not hasattr(modeling_bert, "BertLayerNorm"):
        additions["BertLayerNorm"] = nn.LayerNorm
    return imports.facade(modeling_bert, **additions)
