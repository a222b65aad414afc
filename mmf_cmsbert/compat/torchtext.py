"""torchtext is optional: MMF takes pretrained word vectors from `torchtext.vocab`, no more."""

from mmf_cmsbert.compat import stand_in


def activate() -> None:
    error = stand_in.import_error("torchtext")
    if error is not None:
        stand_in.serve_in_place_of("torchtext", advice, error)


def advice() -> str:
    """What to type. 0.6.0 is the last release in pure Python: it fits every torch."""
    return "Pretrained word vectors need: pip install --no-deps torchtext==0.6.0 six"
