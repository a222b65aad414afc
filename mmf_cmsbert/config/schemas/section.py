"""Base classes of schemas, and their valid values in words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """A section of the configuration. Subclasses declare its keys.

    Values are not converted to other types, numbers must be finite, and unknown keys are errors.
    :func:`~.validation.read` validates values from YAML.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def plain(self) -> dict[str, Any]:
        """Return the section in plain containers."""
        return self.model_dump(warnings=False)  # defaults may be references


class OpenSection(Section):
    """A section that accepts undeclared keys."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True)
class Expected:
    """The valid values of a key in words, if its type alone does not describe them well."""

    text: str


def subsection(annotation: Any) -> type[Section] | None:
    """Return the schema in the annotation of a field; None if the field is not a section."""
    for each in (annotation, *_alternatives(annotation)):
        if isinstance(each, type) and issubclass(each, Section):
            return each
    return None


def of_mapping(annotation: Any) -> Any:
    """Return the type of the values of a field with keys of the user's choice, else None."""
    for each in (annotation, *_alternatives(annotation)):
        if get_origin(each) is Annotated:
            each = get_args(each)[0]
        if get_origin(each) is dict:
            return get_args(each)[1]
    return None


def expected(field: FieldInfo) -> str:
    """Return the valid values of a field in words, such as ``a whole number, at least 1``."""
    return _expected(field.annotation, field.metadata)


def _expected(annotation: Any, metadata: Iterable[Any]) -> str:
    metadata = list(_flat(metadata))
    for each in metadata:
        if isinstance(each, Expected):
            return each.text
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _expected(arguments[0], [*arguments[1:], *metadata])
    if alternatives := _alternatives(annotation):
        others = [_expected(each, metadata) for each in alternatives if each is not NoneType]
        return " or ".join(others) + (", or null" if NoneType in alternatives else "")
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if (schema := subsection(annotation)) is not None:
        return f"a section with the keys {', '.join(schema.model_fields)}"
    simple: Mapping[Any, Callable[[], str]] = {
        bool: lambda: "true or false",
        int: lambda: "a whole number" + _bounds(metadata),
        float: lambda: "a number" + _bounds(metadata),
        str: lambda: "text",
        list: lambda: "a list",
        dict: lambda: "a section",
    }
    return simple.get(origin or annotation, lambda: "a value")()


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for each in metadata:
        yield from each.metadata if isinstance(each, FieldInfo) else (each,)


def _bounds(metadata: Iterable[Any]) -> str:
    found = {
        name: bound
        for each in metadata
        for name in ("ge", "gt", "le", "lt")
        if (bound := getattr(each, name, None)) is not None
    }
    low, above = found.get("ge"), found.get("gt")
    high, below = found.get("le"), found.get("lt")
    upper = f" to {high}" if high is not None else f" to below {below}"
    if high is None and below is None:
        upper = ""
    if above is not None:
        return f" above {above}" + (upper.replace(" to ", ", at most ") if upper else "")
    if low is None:
        return ""
    return f" from {low}{upper}" if upper else f", at least {low}"
