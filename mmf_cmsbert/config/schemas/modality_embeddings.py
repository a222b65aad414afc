"""``model_config.<model>.modality_embeddings`` of a model of MMF."""

from typing import Annotated

from pydantic import Field

from mmf_cmsbert.config.schemas.section import Expected, Section

_Width = Annotated[int, Field(ge=1, le=2**16)]


class Part(Section):
    """A part of the model."""

    module: str = Field(description="Name of the module, as in torch's named_modules.")
    width: _Width = Field(description="Width of its states.")


class ModalityEmbeddings(Section):
    """Embeddings of the modalities for a model without them, computed from its parts."""

    dim: _Width = Field(description="Width of the embeddings.")
    parts: Annotated[
        dict[str, Part],
        Field(min_length=2),
        Expected(
            "two modalities or more with the part of the model that computes each and the width of "
            "its states, as in {text: {module: base.text, width: 768}, visual: {module: "
            "base.modal, width: 47}}"
        ),
    ] = Field(description="Modality -> the part of the model that computes it.")
