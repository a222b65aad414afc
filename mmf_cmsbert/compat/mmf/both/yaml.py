"""Reading of YAML files by MMF."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmf.utils import configuration
from mmf.utils.general import get_absolute_path, get_mmf_root

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config.includes import ConfigFiles


@patch(
    "mmf.utils.configuration.load_yaml",
    why="Circular includes raise a RecursionError, aliases are expanded without limit, and errors "
    "quote files that are not YAML. A file that sets max_epochs does not unset the max_updates of "
    "included files and of MMF's defaults. Recipes of this package cannot be included by name from "
    "other folders.",
    remove_when="MMF limits the size of YAML and has a search path for includes.",
)
def bounded_yaml() -> None:
    def reading(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def load_yaml(f: Any) -> Any:
            root = Path(get_mmf_root())
            # MMF reports missing files, and downloads remote ones.
            for place in (get_absolute_path(f), root / f):
                if os.path.exists(place):
                    # MMF's version of OmegaConf, in which a missing key is None
                    merge = configuration.OmegaConf.merge
                    return ConfigFiles(root, merge).load(Path(place))
            return original(f)

        return load_yaml

    imports.replace_function(configuration, "load_yaml", reading)
