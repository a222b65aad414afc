"""transformers: BERT with the interface of release 2.3, built from the installed release.

MMF builds models from the parts in `transformers.modeling_bert`. It gets a module of that name with
the library's parts, adapted if their interface has changed. The library's modules are not modified.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.compat.patch import patch

# old path -> new path
_MOVED = {
    "configuration_auto": "models.auto.configuration_auto",
    "modeling_auto": "models.auto.modeling_auto",
    "tokenization_auto": "models.auto.tokenization_auto",
    "configuration_bert": "models.bert.configuration_bert",
    "modeling_bert": "models.bert.modeling_bert",
    "tokenization_bert": "models.bert.tokenization_bert",
}


@patch(
    "transformers.{modeling,configuration,tokenization}_{auto,bert}",
    why="transformers 4 moved these modules below transformers.models, and changed BERT's parts.",
    remove_when="MMF imports them from transformers.models and calls today's BERT.",
)
def restore_moved_modules() -> bool:
    import transformers

    moved = [name for name in _MOVED if not _exists(f"transformers.{name}")]
    for old in moved:
        new = _MOVED[old]
        module = importlib.import_module(f"transformers.{new}")
        if old == "modeling_bert":
            module = bert(module)
            imports.replace_module(f"transformers.{new}", module)
        imports.replace_module(f"transformers.{old}", module)
        # Plugins written for MMF import these names, too; no other code uses them.
        sys.modules[f"transformers.{old}"] = module
    if moved and mmf_line.is_main():
        # To restore old paths, main imports all models of the library, which takes half a minute.
        # It does not if this name is missing.
        imports.replace_module("transformers", imports.facade(transformers, without="models"))
    return bool(moved)


@patch(
    "transformers.optimization.AdamW",
    why="transformers 5 removed its AdamW in favour of torch's.",
    remove_when="MMF uses torch.optim.AdamW.",
)
def restore_adamw() -> bool:
    from transformers import optimization

    if hasattr(optimization, "AdamW"):
        return False
    from mmf_cmsbert.compat.libraries.adamw import AdamW

    imports.replace_module("transformers.optimization", imports.facade(optimization, AdamW=AdamW))
    return True


@patch(
    "transformers.PreTrainedModel._tie_or_clone_weights",
    why="transformers 5 removed this method; MMF's pretraining heads call it.",
    remove_when="MMF ties weights by tie_weights().",
)
def restore_weight_tying() -> bool:
    from transformers import PreTrainedModel

    if hasattr(PreTrainedModel, "_tie_or_clone_weights"):
        return False
    from mmf_cmsbert.compat.libraries.bert import tie_or_clone_weights

    model: Any = PreTrainedModel
    model._tie_or_clone_weights = tie_or_clone_weights
    return True


def _exists(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def bert(modeling_bert: ModuleType) -> ModuleType:
    """Return `modeling_bert` with the names and the interface of release 2.3."""
    from torch import nn

    from mmf_cmsbert.compat.libraries import bert as adapted

    additions: dict[str, Any] = {
        "BertEncoder": adapted.BertEncoder,
        "BertPreTrainedModel": adapted.BertPreTrainedModel,
    }
    if not hasattr(modeling_bert, "BertLayerNorm"):
        additions["BertLayerNorm"] = nn.LayerNorm
    return imports.facade(modeling_bert, **additions)
