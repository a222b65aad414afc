"""Plugins that `env.user_dir` names.

MMF main imports one in the life of a process, and passes over every other without a word, even one
that is not there.
"""

from collections.abc import Callable

from mmf.common.registry import registry
from mmf.utils import env

from mmf_cmsbert.compat.imports import replace_function

_MARK = "__mmf_user_dir_imported__"


def apply() -> None:
    """Import each plugin, once."""
    replace_function(env, "import_user_module", _each)


def _each(original: Callable[[str], None]) -> Callable[[str], None]:
    imported = set()

    def import_user_module(user_dir: str) -> None:
        if user_dir not in imported:
            registry.unregister(_MARK)
        original(user_dir)
        imported.add(user_dir)

    return import_user_module
