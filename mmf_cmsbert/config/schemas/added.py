"""Extend schemas by the keys of a configuration: MMF's keys and their defaults."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, create_model

from mmf_cmsbert.config.schemas.section import Section, subsection


def completed(
    schema: type[Section], defaults: Mapping[str, Any], whole: bool = True
) -> type[Section]:
    """Return a schema with every key of ``defaults``.

    Keys that ``schema`` declares keep their types. Other keys get the type of their default, a
    number or a boolean, or any type if the default is something else. MMF accepts any value, and
    fails on it later or, where it only tests ``if value``, not at all.

    Args:
        schema: the known keys.
        defaults: the section, plain containers.
        whole: whether a key whose default is an integer accepts integers only.
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
