"""``params`` of the processors of this package, in ``dataset_config.<name>.processors``."""

from typing import Annotated

from pydantic import Field

from mmf_cmsbert.config.schemas.section import Expected, Section
from mmf_cmsbert.config.schemas.values import NonverbalModality


class WordPiecesConfig(Section):
    """``word_pieces``"""

    tokenizer: str = Field(
        default="bert-base-uncased",
        description="The tokenizer of the model's backbone: a hub name or a local folder. Any fast "
        "one.",
    )
    max_seq_length: Annotated[int, Field(ge=1, le=2**16)] = Field(
        default=50,
        description="Word pieces a segment, special tokens included. Longer segments lose whole "
        "words at their end.",
    )


class FramesAsRegionsConfig(Section):
    """``frames_as_regions``"""

    modality: NonverbalModality = Field(description="The modality whose frames become regions.")
    count: Annotated[int, Field(ge=1), Expected("how many regions a segment has, at least 1")] = (
        Field(description="Regions of each segment.")
    )


# Registered name -> what its params can be.
PROCESSORS: dict[str, type[Section]] = {
    "word_pieces": WordPiecesConfig,
    "frames_as_regions": FramesAsRegionsConfig,
}
