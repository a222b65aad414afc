"""Recipes: short configurations on top of the files that they include, or of another base."""

from pathlib import Path
from typing import Any

import yaml

from mmf_cmsbert import paths
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import check_regular, replace_text

# Fits any dataset, which is named with dataset=NAME.
OF_ANY = "projects/cmsbert/own.yaml"
SHIPPED = "projects/cmsbert/ablations"


def find(word: str) -> Path:
    """Find the file of a recipe.

    Args:
        word: a path, or the name of a shipped ablation without ``.yaml``.

    Raises:
        ConfigError: there is no such recipe.
    """
    for name in (word, f"{SHIPPED}/{word}.yaml"):
        path = paths.find(name)
        if path and not path.is_dir():
            check_regular(path)
            return path.resolve()
    shipped = sorted(path.stem for path in (paths.PACKAGE / SHIPPED).glob("*.yaml"))
    raise ConfigError(
        f"{word}: there is no such file, and no such recipe in {SHIPPED}. Shipped: "
        + ", ".join(shipped)
    )


def of_dataset(name: str) -> str:
    """Return the shipped recipe of a dataset, or the one that fits any dataset."""
    own = f"projects/cmsbert/{name}.yaml"
    return own if own != OF_ANY and paths.find(own) else OF_ANY


def name_of(file: Path) -> str:
    """Return a recipe's name in tables and folders."""
    return file.name.removesuffix(".yaml").removesuffix(".yml")


def read(file: Path) -> dict[str, Any]:
    """Read the values of the file itself, without its includes and with references unresolved.

    Raises:
        ConfigError: the file is not a configuration.
    """
    return read_yaml(file)


def over(file: Path, base: Path, target: Path) -> Path:
    """Write a recipe to ``target``, with ``base`` instead of its includes."""
    own = {key: value for key, value in read(file).items() if key != "includes"}
    return write(target, f"{file.name} over {base.name}", base, own)


def write(target: Path, about: str, base: Path, content: dict[str, Any]) -> Path:
    """Write a recipe; the comment at its top holds ``about`` and the command to run it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"# {line}\n" for line in about.splitlines())
    body = yaml.safe_dump({"includes": [str(base.resolve())], **content}, sort_keys=False)
    replace_text(target, f"{lines}#   mmf_run config={target}\n{body}")
    return target
