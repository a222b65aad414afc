"""UNITER of main, which asks BERT's encoder for its states by position.

It takes the encoder out of a BertModel of the library's, where today's gives the last states alone.
"""

from importlib.util import find_spec
from typing import Any


def apply() -> None:
    """Let that encoder answer as in transformers 2.3."""
    if find_spec("mmf.models.uniter") is None:  # 1.0.0rc10
        return
    from mmf.models.uniter import UNITERModelBase

    from mmf_cmsbert.compat.bert import BertEncoder

    original = UNITERModelBase.__init__

    def __init__(self: UNITERModelBase, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.encoder.__class__ = BertEncoder  # the same layers and weights, called in its way

    UNITERModelBase.__init__ = __init__
