"""Types of values that are used in several sections."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mmf_cmsbert.config.schemas.section import Expected

Modality = Literal["text", "visual", "acoustic"]
NonverbalModality = Literal["visual", "acoustic"]

# For example a dropout, a decay, or a smoothing.
Share = Annotated[float, Field(ge=0, lt=1), Expected("a number from 0 to below 1")]
Positive = Annotated[float, Field(gt=0)]
Width = Annotated[int, Field(ge=0, le=2**16)]


def _two(pair: Any) -> Any:
    if len(pair) != 2 or pair[0] == pair[1]:
        raise PydanticCustomError("no_pair", "expected two different names")
    return pair


Pair = Annotated[list[Modality], AfterValidator(_two)]
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
