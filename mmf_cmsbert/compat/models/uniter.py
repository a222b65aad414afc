"""Main's UNITER, which reads the outputs of BERT's encoder by position."""

from typing import Any

from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.models.uniter.UNITERModelBase",
    "main",
    why="It reads the encoder's outputs by position; current BERTs return only the last states.",
    remove_when="MMF reads them by name.",
)
def return_tuples() -> None:
    from mmf.models.uniter import UNITERModelBase

    from mmf_cmsbert.compat.libraries.bert import BertEncoder

    original = UNITERModelBase.__init__

    def __init__(self: UNITERModelBase, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.encoder.__class__ = BertEncoder  # the same layers and weights

    UNITERModelBase.__init__ = __init__
