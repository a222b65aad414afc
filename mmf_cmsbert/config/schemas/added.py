"""Schemas completed with what a configuration holds: MMF's keys and their defaults."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, create_model

from mmf_cmsbert.config.schemas.section import Section, subsection


def completed(
    schema: type[Section], defaults: Mapping[str, Any], whole: bool = True
) -> type[Section]:
    """A schema with every key of ``defaults``.

    A key that ``schema`` declares keeps its type. One that it does not declare takes what its
    default is, a number or true or false, or any value where that is something else. MMF itself
    takes any value, and fails on it later or, where it asks ``if value``, never.

    Args:
        schema: the keys that are known.
        defaults: the section, plain containers.
        whole: whether a key whose default is a whole number takes whole numbers only.
    """
    fields: dict[str, Any] = {}
    for name, default in defaults.items():
        declared = schema.model_fields.get(name)
        below = subsection(declared.annotation) if declared else Section
        if isinstance(default, Mapping) and default and below is not None:
            fields[name] = (completed(below, default, whole), Field(None, description=""))
        elif declared is None:
            fields[name] = (_kind(default, whole), Field(default, description=""))
        else:
            annotation: Any = declared.annotation
            for each in declared.metadata:
                annotation = Annotated[annotation, each]
            fields[name] = (annotation, Field(default, description=declared.description))
    return create_model(schema.__name__, __base__=schema, **fields)


def _kind(default: Any, whole: bool) -> Any:
    if isinstance(default, bool):
        return bool | None
    if isinstance(default, int) and whole:
        return int | None
    return float | None if isinstance(default, (int, float)) else Any
