"""How MMF reads YAML files."""

import os
from pathlib import Path

from mmf.utils import configuration
from mmf.utils.general import get_absolute_path, get_mmf_root

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config.includes import ConfigFiles


@patch(
    "mmf.utils.configuration.load_yaml",
    why="Includes in a circle end in a RecursionError, aliases expand without a limit, and errors "
    "quote a file that is not YAML. A file that sets max_epochs leaves the max_updates of what it "
    "includes, and of MMF's defaults, as it was. Recipes of this package cannot be included by "
    "name from elsewhere.",
    remove_when="MMF bounds what it reads and takes a search path for includes.",
)
def bounded_yaml() -> None:
    def reading(original):
        def load_yaml(f):
            root = Path(get_mmf_root())
            # MMF reports a file that is missing, and fetches one from another machine.
            for place in (get_absolute_path(f), root / f):
                if os.path.exists(place):
                    # MMF's view of omegaconf: a missing key is None
                    merge = configuration.OmegaConf.merge
                    return ConfigFiles(root, merge).load(Path(place))
            return original(f)

        return load_yaml

    imports.replace_function(configuration, "load_yaml", reading)
