"""Generate the YAML files of defaults and the documentation page from the schemas.

python -m mmf_cmsbert.config.write_defaults
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mmf_cmsbert.config import reference
from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.config.schemas.section import Section
from mmf_cmsbert.config.schemas.sections import MODELS
from mmf_cmsbert.config.shipped import dataset_path, model_path
from mmf_cmsbert.files import replace_text
from mmf_cmsbert.paths import PACKAGE

_WIDTH = 100
_HEADER = """\
# {what}
# Generated from its schema by `make defaults`; edit the schema instead. Any value can be overridden
# on the command line, for example
#   mmf_run config=projects/cmsbert/{recipe}.yaml {example}
{kind}:
  {name}:
"""
_PAPER = "[paper] marks what the paper's abstract states; everything else is our interpretation."


def files() -> dict[Path, str]:
    """Return the files of defaults: path -> content."""
    found = {}
    for name, schema in MODELS.items():
        example = f"model_config.{name}.shift.context=word"
        what = f"{schema.__doc__} {_PAPER}"
        header = _HEADER.format(
            what=what, recipe="mosi", example=example, kind="model_config", name=name
        )
        found[model_path(name)] = header + _text(schema.model_validate({}))
    for name, schema in DATASETS.items():
        example = f"dataset_config.{name}.source=/data" + f"/{name}" * (len(name) < 10)
        header = _HEADER.format(
            what=schema.__doc__, recipe=name, example=example, kind="dataset_config", name=name
        )
        found[dataset_path(name)] = header + _text(schema.model_validate({}))
    return found


def _text(section: Section) -> str:
    return "\n".join(_lines(section, "    ")) + "\n"


def _lines(section: Section, indent: str) -> Iterator[str]:
    """Yield the lines of a section as YAML, with a comment above each key."""
    for name, field in type(section).model_fields.items():
        for comment in _wrapped(field.description or "", _WIDTH - len(indent) - 2):
            yield f"{indent}# {comment}"
        value = getattr(section, name)
        if isinstance(value, Section):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield from (f"{indent}{line}" for line in _value(name, value))


def _value(name: str, value: Any) -> list[str]:
    if isinstance(value, dict) and any(isinstance(each, Section) for each in value.values()):
        # One section per line.
        return [f"{name}:", *(f"  {key}: {reference.as_yaml(each)}" for key, each in value.items())]
    if isinstance(value, list) and not all(isinstance(each, str | float) for each in value):
        # One item per line.
        text: str = yaml.safe_dump(value, default_flow_style=None, sort_keys=False, width=999)
        return [f"{name}:", *(f"  {line}" for line in text.splitlines())]
    return [f"{name}: {reference.as_yaml(value)}"]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Wrap a text to ``width``, except for lines that begin with spaces."""
    for paragraph in text.splitlines():
        if paragraph.startswith(" "):
            yield paragraph
        else:
            yield from textwrap.wrap(
                paragraph, width, break_long_words=False, break_on_hyphens=False
            )


def main() -> None:
    """Write the files and print their paths."""
    texts = files()
    checkout = PACKAGE.parent
    if (checkout / "mkdocs.yml").is_file():
        texts[checkout / "docs" / "configuration.md"] = reference.page()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)
        print(path)


if __name__ == "__main__":
    main()
