"""Defaults of configuration keys that are missing in MMF's defaults."""

from collections.abc import Mapping
from typing import Any

from mmf.utils import configuration
from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf.line import is_main
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config import shipped
from mmf_cmsbert.config.words import value_of


@patch(
    "mmf.utils.configuration._merge_with_dotlist",
    why="MMF refuses to override a key that is not in a YAML file, and ignores a value for a whole "
    "section on the command line.",
    remove_when="MMF takes defaults from plugins and sets whole sections.",
)
def add_defaults() -> None:
    # This is the last step before overrides are checked against existing keys. It is after the
    # import of `env.user_dir`, so it also works for plugins.
    owner = configuration if is_main() else configuration.Configuration
    original = owner._merge_with_dotlist

    def merge_with_dotlist(*args: Any, **kwargs: Any) -> Any:
        *itself, config, options = args
        config = OmegaConf.merge(OmegaConf.create(shipped.own_defaults()), config)
        return original(*itself, config, _without_sections(config, options), **kwargs)

    owner._merge_with_dotlist = merge_with_dotlist


def _without_sections(config: Any, options: list[str] | None) -> list[str] | None:
    """Set options for whole sections, which MMF ignores; return the other options."""
    if not options or "=" not in options[0]:
        return options
    rest = []
    for option in options:
        key, _, text = option.partition("=")
        if "[" not in key and isinstance(OmegaConf.select(config, key), Mapping):
            OmegaConf.update(config, key, value_of(text), merge=False)
        else:
            rest.append(option)
    return rest
