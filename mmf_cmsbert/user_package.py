"""A Python package of the user's, imported from its folder for what it registers."""

import sys
from importlib import import_module
from pathlib import Path

from mmf_cmsbert.errors import ConfigError


def import_package(folder: Path | None, key: str) -> Path | None:
    """Import the package in ``folder`` without importing MMF; does nothing for None.

    Args:
        folder: a folder with an ``__init__.py``.
        key: the option that names it, for messages.

    Returns:
        The folder.

    Raises:
        ConfigError: there is no such package, it cannot be imported, or another one of its name is
            imported already.
    """
    if folder is None:
        return None
    path = folder.expanduser().absolute()
    if not (path / "__init__.py").is_file():
        raise ConfigError(f"{key} {folder}: expected a folder with an __init__.py in it")
    sys.path.insert(0, str(path.parent))
    try:
        module = import_module(path.name)
    except ImportError as error:
        raise ConfigError(f"{key} {folder}: cannot be imported ({error})") from error
    finally:
        sys.path.remove(str(path.parent))
    found = Path(module.__file__ or "").parent
    if found.resolve() != path.resolve():
        raise ConfigError(
            f"{key} {folder}: another package {path.name} is imported, from {found}; rename one of "
            "them"
        )
    return folder
