"""Types of values that are used in several sections."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mmf_cmsbert.config.schemas.section import Expected

# Names of other fields of segments, stores and batches.
_FIELDS = re.compile(
    "text|text_bert|words|ids?|segment_ids?|video|clip|labels?|split|mode|start|end|frames|"
    "metadata|checksum|targets?|input_ids|input_mask|word_index|scores|logits|embeddings|"
    "dataset_name|dataset_type|(targets?_|scores_|image_|_).*|.*_(mask|lengths)"
)


def can_be_modality(name: str) -> bool:
    """Return whether a modality besides text can have this name."""
    # Batches are dicts whose fields are also attributes.
    return name.isidentifier() and not _FIELDS.fullmatch(name) and not hasattr(dict, name)


def _modality(name: str) -> str:
    if not can_be_modality(name):
        raise ValueError(
            f"{{key}} names a modality {name!r}; expected a word of letters, digits and "
            "underscores, such as gaze, that is no field of a segment"
        )
    return name


def _modality_or_text(name: str) -> str:
    return name if name == "text" else _modality(name)


Modality = Annotated[str, AfterValidator(_modality)]
TextOrModality = Annotated[str, AfterValidator(_modality_or_text)]

# For example a dropout, a decay, or a smoothing.
Share = Annotated[float, Field(ge=0, lt=1), Expected("a number from 0 to below 1")]
Positive = Annotated[float, Field(gt=0)]
Width = Annotated[int, Field(ge=0, le=2**16)]


def _two(pair: Any) -> Any:
    if len(pair) != 2 or pair[0] == pair[1]:
        raise PydanticCustomError("no_pair", "expected two different names")
    return pair


Pair = Annotated[list[TextOrModality], AfterValidator(_two)]
AnyPair = Annotated[list[str], AfterValidator(_two)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# One file or a list of files.
Files = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)]
Folder = Annotated[str, Field(min_length=1)]


def _switch(value: Any) -> Any:
    word = value.lower() if isinstance(value, str) else value
    return {"true": True, "false": False}.get(word, word)


Switch = Annotated[
    bool | Literal["auto"], BeforeValidator(_switch), Expected("auto, true or false")
]
