"""MMF's own models: what is mended in them, and what they are taught; on both lines."""

from mmf_cmsbert.compat import (
    stock_berts,
    stock_embeddings,
    stock_fields,
    stock_layers,
    stock_uniter,
    stock_vit,
)


def apply() -> None:
    """Mend MMF's own models. Each file says what was wrong, and on which line."""
    stock_layers.apply()
    stock_berts.apply()
    stock_vit.apply()
    stock_uniter.apply()
    stock_embeddings.apply()
    stock_fields.apply()
