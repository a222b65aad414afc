"""BERT's layers as main's own models find them.

Main's vilbert and mmbt put layers that torch.jit can compile in the place of those of transformers,
for the whole process. They were written for the parts of release 4.10, and do not fit today's.
The library's layers compute the same; what is lost is that such a model can be compiled.
"""

from importlib.util import find_spec

from mmf_cmsbert.compat.imports import replace_function


def apply() -> None:
    """Leave the library's layers where they are, unless they still have the parts."""
    if find_spec("mmf.modules.hf_layers") is None:  # 1.0.0rc10
        return
    from mmf.modules import hf_layers

    if not hasattr(hf_layers.BertSelfAttention, "transpose_for_scores"):
        for name in ("replace_with_jit", "undo_replace_with_jit"):
            replace_function(hf_layers, name, lambda original: lambda: None)
