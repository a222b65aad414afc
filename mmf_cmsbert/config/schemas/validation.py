"""Validate values against a schema, and convert pydantic's errors to messages.

A message contains the file, the key, the value, the expected values, and what to type.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mmf_cmsbert.config.schemas.names import unknown_key
from mmf_cmsbert.config.schemas.section import Section, expected, of_mapping, subsection
from mmf_cmsbert.errors import ConfigError

Schema = TypeVar("Schema", bound=Section)


class Problem(NamedTuple):
    """An invalid key or value.

    Attributes:
        key: the dotted key.
        text: the message, which includes the key.
    """

    key: str
    text: str


def read(schema: type[Schema], given: Any, key: str, source: str = "") -> Schema:
    """Validate the values of a section; missing keys get their defaults.

    Args:
        schema: the section's keys.
        given: plain containers, references resolved.
        key: the dotted key of the section, for messages.
        source: the file, for messages.

    Raises:
        ConfigError: it lists every invalid key and value.
    """
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        found = _problems(schema, given, key, error)
    raise refusal(found, lambda _: source)


def problems(schema: type[Section], given: Any, key: str) -> list[Problem]:
    """Return the problems of a section's values; arguments as for :func:`read`."""
    try:
        schema.model_validate(given)
    except ValidationError as error:
        return _problems(schema, given, key, error)
    return []


def refusal(found: Iterable[Problem], source: Callable[[str], str]) -> ConfigError:
    """Return an error that lists all problems.

    Args:
        found: the problems, at least one.
        source: key -> the file that sets it; empty for the command line.
    """
    lines = [
        f"{where}: {each.text}" if (where := source(each.key)) else each.text for each in found
    ]
    if len(lines) == 1:
        return ConfigError(lines[0])
    return ConfigError("\n  ".join([f"{len(lines)} keys or values are wrong:", *lines]))


def wrong(key: str, value: Any, expectation: str, default: Any = None) -> str:
    """Return the error message for an invalid value of a key."""
    shown = str(default).lower() if isinstance(default, bool) else default
    simple = isinstance(default, (bool, int, float, str)) and "${" not in str(default)
    example = f", as in {key}={shown}" if simple else ""
    return f"{key} is {value!r}; expected {expectation}{example}"


def _problems(schema: type[Section], given: Any, key: str, error: ValidationError) -> list[Problem]:
    found: dict[str, Problem] = {}
    for each in error.errors(include_url=False):
        problem = _problem(schema, given, key, each["loc"], each)
        found.setdefault(problem.key, problem)  # a union has an error for each alternative
    return list(found.values())


def _problem(
    schema: type[Section],
    value: Any,
    key: str,
    loc: tuple[int | str, ...],
    error: Mapping[str, Any],
) -> Problem:
    """Convert an error at a location; locations inside a value are attributed to its key."""
    field: FieldInfo | None = None
    current: type[Section] | None = schema
    for position, part in enumerate(loc):
        if current is None or part not in current.model_fields:
            break
        field = current.model_fields[str(part)]
        current = subsection(field.annotation)
        key = _joined(key, part)
        value = value.get(part) if isinstance(value, Mapping) else None
        if current is not None and not isinstance(value, Mapping):
            loc = loc[: position + 1]
            break
    else:
        position = len(loc)
    if error["type"] == "extra_forbidden" and current is not None:
        name = loc[position]
        return Problem(_joined(key, name), unknown_key(key, name, current.model_fields))
    if error["type"] == "value_error":
        for part in loc[position:]:
            key = f"{key}[{part}]" if isinstance(part, int) else key
        return Problem(key, str(error["ctx"]["error"]).replace("{key}", key))
    values = None if field is None or loc[-1] == "[key]" else of_mapping(field.annotation)
    for part in loc[position:]:
        if values is None or not isinstance(value, Mapping) or part not in value:
            break
        key, value, field = _joined(key, part), value[part], FieldInfo(annotation=values)
        values = of_mapping(values)
    if field is None:
        keys = ", ".join(schema.model_fields)
        return Problem(key, wrong(key, value, f"a section with the keys {keys}"))
    return Problem(key, wrong(key, value, expected(field), field.default))


def _joined(key: str, part: object) -> str:
    return f"{key}.{part}" if key else str(part)
