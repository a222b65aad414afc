"""``params`` of the processors of this package, in ``dataset_config.<name>.processors``."""

from typing import Annotated

from pydantic import Field

from mmf_cmsbert.config.schemas.section import Expected, Section
from mmf_cmsbert.config.schemas.values import Modality


class WordPiecesConfig(Section):
    """``word_pieces``"""

    tokenizer: str = Field(
        default="bert-base-uncased",
        description="The tokenizer of the model's backbone, a hub name or a local folder. Any fast "
        "tokenizer is supported.",
    )
    max_seq_length: Annotated[int, Field(ge=1, le=2**16)] = Field(
        default=50,
        description="Largest number of word pieces in a segment, including special tokens. Longer "
        "segments are cut at a word boundary.",
    )


class FramesAsRegionsConfig(Section):
    """``frames_as_regions``"""

    modality: Modality = Field(description="The modality whose frames become regions.")
    count: Annotated[int, Field(ge=1), Expected("the number of regions, at least 1")] = Field(
        description="Number of regions of each segment."
    )


# Registered name -> schema of its params.
PROCESSORS: dict[str, type[Section]] = {
    "word_pieces": WordPiecesConfig,
    "frames_as_regions": FramesAsRegionsConfig,
}
