"""torchtext is optional, because MMF only uses `torchtext.vocab`, for pretrained word vectors."""

from mmf_cmsbert.compat import stand_in
from mmf_cmsbert.compat.patch import patch


@patch(
    "torchtext",
    why="MMF always imports torchtext, but uses it only for pretrained word vectors.",
    remove_when="torchtext is installed.",
)
def make_optional() -> bool:
    error = stand_in.import_error("torchtext")
    if error is None:
        return False
    stand_in.replace_missing("torchtext", advice, error)
    return True


def advice() -> str:
    """Return what to type. 0.6.0 is the last release in pure Python; it works with every torch."""
    return "Pretrained word vectors need: pip install --no-deps torchtext==0.6.0 six"
