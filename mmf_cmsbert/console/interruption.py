"""Messages and exit statuses of commands that were ended by a signal."""

import multiprocessing
import os
import signal
from pathlib import Path

from mmf_cmsbert.console.signals import LIMIT, Interrupted


def by(error: KeyboardInterrupt) -> str:
    """Name the signal."""
    name = signal.Signals(_number(error)).name
    return f"interrupted by {name}"


def status(error: KeyboardInterrupt) -> int:
    """Return the exit status, as in a shell: 128 + the signal's number."""
    return 128 + _number(error)


def message(error: KeyboardInterrupt, began: float, predict: bool) -> str:
    """Describe the progress of a run, and how to resume it.

    Args:
        error: the interruption.
        began: start of the command, in seconds since the epoch.
        predict: whether the command predicts.
    """
    if predict:
        return f"{by(error)}; a file of predictions is written whole or not at all"
    from mmf.common.registry import registry

    config = registry.get("config", no_warning=True)
    if config is None:
        return f"{by(error)} before training began; nothing was saved: type the same command again"
    file = Path(config.env.save_dir).absolute() / "current.ckpt"
    exists = file.is_file()
    if exists and (config.checkpoint.resume or file.stat().st_mtime >= began):
        updates = registry.get("num_updates", no_warning=True)
        return (
            f"{by(error)}{f' after update {updates}' if updates else ''}; the same command with "
            f"checkpoint.resume=true resumes from {file}"
        )
    return (
        f"{by(error)} before the first checkpoint; nothing was saved: type the same command again "
        "to start from the beginning"
    )


def end_processes(error: KeyboardInterrupt) -> None:
    """Pass the signal to the processes that MMF started for other GPUs, and wait for them."""
    children = [each for each in multiprocessing.active_children() if not each.daemon]
    for child in children:
        if child.pid is not None:
            os.kill(child.pid, _number(error))
    for child in children:
        child.join(LIMIT)
        child.kill()


def _number(error: KeyboardInterrupt) -> int:
    return error.number if isinstance(error, Interrupted) else signal.SIGINT
