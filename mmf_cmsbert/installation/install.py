"""Install a line of MMF into the running Python."""

import importlib
import os
import shlex
import subprocess
from collections.abc import Callable
from importlib.util import find_spec

from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.installation.lines import Line


def installed() -> str | None:
    """Return the installed line, ``rc10`` or ``main``; None without MMF."""
    importlib.invalidate_caches()
    if find_spec("mmf") is None:
        return None
    mmf_line.is_main.cache_clear()  # it may have been replaced since the last call
    return mmf_line.installed()


def install(line: Line, say: Callable[[str], None]) -> None:
    """Install ``line``, replacing the other one if that is installed.

    Args:
        line: the line to install.
        say: receives each command before it runs.

    Raises:
        UserError: pip is missing or failed.
    """
    if find_spec("pip") is None:
        raise UserError(
            "pip is not installed in this Python; type: python -m ensurepip, and try again"
        )
    environment = {**os.environ, **dict(line.environment)}
    for command in line.commands():
        say(shlex.join(command))
        status = subprocess.run(command, env=environment).returncode
        if status != 0:
            raise UserError(
                f"pip ended with status {status}; its messages are above. {line.title} is not "
                f"installed. The same command can be repeated: cmsbert install-mmf --line "
                f"{line.name}"
            )
    if installed() != line.name:
        raise UserError(
            f"pip reported no error, but Python does not find {line.title}; check whether another "
            "mmf is earlier on sys.path"
        )
