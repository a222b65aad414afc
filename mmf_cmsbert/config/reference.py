"""The reference of all configuration keys: values, defaults and help."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mmf_cmsbert.config.schemas.added import completed
from mmf_cmsbert.config.schemas.section import Section, expected, subsection
from mmf_cmsbert.config.schemas.sections import SECTIONS
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import ConfigError

_INTRODUCTION = """\
# Configuration

<!-- Generated from the schemas by `make defaults`; edit the schemas instead of this page. -->

All keys that this package defines or checks. Set a key in a YAML file, or on the command line as
`KEY=VALUE`, where the value is read as YAML. `mmf_run --help-config` prints the same help for one
section or key, including the keys of MMF:

    mmf_run --help-config model_config.cmsbert.shift
    mmf_run --help-config training.seed

A value of the wrong type or outside its range, or an unknown key, is an error before the run
starts. `null` means no value. For the sections `training`, `evaluation`, `checkpoint`, `env`,
`optimizer` and `scheduler` this page lists only the keys that this package adds or checks. If the
default of such a key is `null`, MMF's default applies, unless stated otherwise. `losses.<type>` and
`processors.<type>` are the `params` of an entry of that type.
"""


@dataclass(frozen=True)
class Entry:
    """One key.

    Attributes:
        key: the dotted key.
        values: the valid values, in words; empty for a section.
        default: the default as YAML; empty for a section, and for a key without default.
        help: the help text; may be empty.
    """

    key: str
    values: str
    default: str
    help: str

    @property
    def is_section(self) -> bool:
        return not self.values


def entries(sections: Mapping[str, type[Section]]) -> Iterator[Entry]:
    """Yield the keys of sections, each section before its keys."""
    for key, schema in sections.items():
        yield Entry(key, "", "", " ".join((schema.__doc__ or "").split()).strip("`"))
        yield from _below(key, schema)


def describe(key: str | None, more: Mapping[str, type[Section]] | None = None) -> str:
    """Return the help for a section or a key, or the list of sections.

    Args:
        key: the dotted key; None for the list.
        more: sections besides those of this package and of MMF.

    Raises:
        ConfigError: the key does not exist; the message names similar ones.
    """
    sections = {**SECTIONS, **_of_mmf(), **(more or {})}
    known = {each.key: each for each in entries(sections)}
    if key is None:
        names = "\n".join(f"  {name}" for name in sections)
        return f"Sections; --help-config KEY explains one, or a key in it:\n{names}"
    if key not in known:
        raise ConfigError(_unknown(key, list(known)))
    found = [known[key]]
    if found[0].is_section:
        found += [each for name, each in known.items() if name.startswith(f"{key}.")]
    return "\n".join(map(_text, found))


def registered() -> dict[str, type[Section]]:
    """Return the sections of registered models and datasets that have a ``config_schema``."""
    from mmf.common.registry import registry

    kinds = {"model_config": "model_name_mapping", "dataset_config": "builder_name_mapping"}
    return {
        f"{section}.{name}": owner.config_schema
        for section, mapping in kinds.items()
        for name, owner in registry.mapping[mapping].items()
        if hasattr(owner, "config_schema")
    }


_FIRST_DATASET = "dataset_config.mosi"


def page() -> str:
    """Return the documentation page in Markdown."""
    parts = [_INTRODUCTION]
    first: dict[str, str] = {}  # key of the first dataset -> its default
    for key, schema in SECTIONS.items():
        parts.append(f"\n## `{key}`\n")
        rows = {e.key.removeprefix(f"{key}."): e for e in _below(key, schema) if not e.is_section}
        if key.startswith("dataset_config.") and first:
            parts.append(f"The keys of `{_FIRST_DATASET}`, with these defaults:\n")
            parts.append("| key | default |\n| --- | --- |")
            parts += [
                f"| `{name}` | {_cell(f'`{each.default}`')} |"
                for name, each in rows.items()
                if each.default != first.get(name)
            ]
            continue
        if key == _FIRST_DATASET:
            first = {name: each.default for name, each in rows.items()}
        parts.append("| key | values | default | |\n| --- | --- | --- | --- |")
        for name, each in rows.items():
            default = f"`{each.default}`" if each.default else ""
            cells = [f"`{name}`", _cell(each.values), _cell(default), _cell(each.help)]
            parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def _below(key: str, schema: type[Section]) -> Iterator[Entry]:
    for name, field in schema.model_fields.items():
        here, below = f"{key}.{name}", subsection(field.annotation)
        if below is None or field.default is None:
            yield Entry(here, expected(field), _default(field), field.description or "")
        else:
            yield Entry(here, "", "", field.description or "")
        if below is not None:
            yield from _below(here, below)


def as_yaml(value: Any) -> str:
    """Return a value as one line of YAML."""
    text: str = yaml.safe_dump(_plain(value), default_flow_style=True, sort_keys=False, width=999)
    return text.removesuffix("...\n").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return value.plain()
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _default(field: FieldInfo) -> str:
    return "" if field.default is PydanticUndefined else as_yaml(field.default)


def _of_mmf() -> dict[str, type[Section]]:
    """Return the sections of the installed MMF, without importing it; empty without MMF."""
    spec = find_spec("mmf")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        return {}
    defaults: dict[str, Any] = read_yaml(Path(folders[0]) / "configs" / "defaults.yaml")
    return {
        name: completed(SECTIONS.get(name, Section), values)
        for name, values in defaults.items()
        if isinstance(values, Mapping) and values
    }


def _text(entry: Entry) -> str:
    head = f"{entry.key}:" if entry.is_section else f"{entry.key}: {entry.values}"
    if entry.default:
        head += f"; default {entry.default}"
    help_lines = [
        line
        for part in entry.help.splitlines()
        for line in ([part] if part.startswith(" ") else textwrap.wrap(part, 92))
    ]
    return "\n".join([head, *(f"    {line}" for line in help_lines)])


def _unknown(key: str, known: list[str]) -> str:
    last = key.rpartition(".")[2]
    same = [each for each in known if each.rpartition(".")[2] == last]
    close = list(dict.fromkeys([*get_close_matches(key, known, n=2), *same]))[:3]
    if not close:
        names = {each.rpartition(".")[2]: each for each in known}
        close = [names[name] for name in get_close_matches(last, names, n=3)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"--help-config {key}: there is no such key.{hint} mmf_run --help-config lists sections"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
