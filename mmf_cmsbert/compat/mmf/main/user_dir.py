"""Plugins in `env.user_dir`."""

from collections.abc import Callable
from pathlib import Path

from mmf.common.registry import registry
from mmf.utils import env

from mmf_cmsbert.compat.imports import replace_function
from mmf_cmsbert.compat.patch import patch

_MARK = "__mmf_user_dir_imported__"


@patch(
    "mmf.utils.env.import_user_module",
    "main",
    why="Main imports only one plugin per process, and silently ignores others, even missing ones.",
    remove_when="MMF imports each plugin once.",
)
def import_each() -> None:
    replace_function(env, "import_user_module", _each)


def _each(original: Callable[[str], None]) -> Callable[[str], None]:
    imported = set()

    def import_user_module(user_dir: str) -> None:
        if (folder := Path(user_dir).expanduser()).is_dir():
            user_dir = str(folder.absolute())  # MMF resolves relative paths in its own folder
        if user_dir not in imported:
            registry.unregister(_MARK)
        original(user_dir)
        imported.add(user_dir)

    return import_user_module
