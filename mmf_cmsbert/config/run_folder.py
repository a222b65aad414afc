"""Find the configuration of a run that a command names by folder, configuration or checkpoint.

mmf_predict env.save_dir=RUN
mmf_predict checkpoint.resume_file=RUN/best.ckpt
mmf_run config=RUN/config.yaml
"""

import atexit
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmf_cmsbert.checkpoints.trained_with import configuration
from mmf_cmsbert.config import run_config
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.utils.unfinished import temporary_file

# Files that a run writes into its folder.
_TRACES = ("run.json", "best.ckpt", "current.ckpt", "train.log")


@dataclass(frozen=True)
class Snapshot:
    """The configuration of a run.

    Attributes:
        content: the saved configuration, plain containers.
        folder: the run's folder.
    """

    content: Mapping[str, Any]
    folder: Path

    def model_and_datasets(self) -> dict[str, str]:
        """Return the options ``model`` and ``dataset`` of the run."""
        datasets = self.content["datasets"]
        names = datasets if isinstance(datasets, str) else ",".join(datasets)
        return {"model": self.content["model"], "dataset": names}

    def as_file(self, known: Mapping[str, Any]) -> Path:
        """Write it to a temporary file for MMF, which is deleted when this process ends.

        Args:
            known: MMF's defaults on this machine.
        """
        content = run_config.usable(self.content, self.folder, known)
        if self.is_run():
            content.setdefault("env", {})["save_dir"] = str(self.folder)
        return temporary(content)

    def own_folder(self, options: Mapping[str, str], predict: bool) -> dict[str, str]:
        """Return the option ``env.save_dir`` for a command that continues the run.

        Empty if another folder is typed. ``MMF_SAVE_DIR`` applies to new runs only.
        """
        resume = options.get("checkpoint.resume") == "True"
        continues_run = predict or resume or not trains(options.get("run_type", "train"))
        if "env.save_dir" in options or not continues_run or not self.is_run():
            return {}
        return {"env.save_dir": str(self.folder)}

    def is_run(self) -> bool:
        """Return whether the configuration is in its run's folder, not a copy elsewhere."""
        return any((self.folder / name).exists() for name in _TRACES)


def named_run(options: Mapping[str, str]) -> Snapshot | None:
    """Return the run whose configuration a command uses.

    It is named by its configuration file or, if neither a configuration nor a model is typed, by
    its checkpoint or folder.

    Args:
        options: key -> value as typed.

    Returns:
        None if no run is named, or the run has no configuration.
    """
    if "config" in options:
        return read_snapshot(Path(options["config"]))
    if "model" in options:
        return None
    if file := options.get("checkpoint.resume_file"):
        path = Path(file).expanduser()
        # An exported model does not belong to a run's folder.
        content = configuration(path) if path.is_file() else None
        return Snapshot(content, path.absolute().parent) if content else None
    named = options.get("env.save_dir") or os.environ.get("MMF_SAVE_DIR")
    if not named:
        return None
    folder = Path(named).expanduser().absolute()
    for name in ("best.ckpt", "current.ckpt"):
        if (folder / name).is_file() and (content := configuration(folder / name)):
            return Snapshot(content, folder)
    return read_snapshot(folder / run_config.NAME)


def check_named(options: Mapping[str, str]) -> None:
    """Refuse a prediction that names neither a run nor a recipe.

    Raises:
        ConfigError: neither is named, or the named run has no configuration.
    """
    if "config" in options or "model" in options:
        return
    keys = ("checkpoint.resume_file", "env.save_dir")
    named = [f"{key}={options[key]}" for key in keys if key in options]
    where = f"{named[0]} contains no configuration of a run" if named else "no run is named"
    raise ConfigError(
        f"{where}; type env.save_dir=FOLDER of a finished run, or config=RECIPE and "
        "checkpoint.resume_file=FILE for weights without a configuration"
    )


def read_snapshot(file: Path) -> Snapshot | None:
    """Read a run's configuration from a file; None if the file is a recipe or does not exist."""
    if not file.is_file():
        return None
    try:
        content = read_yaml(file)
    except ConfigError:  # reported when it is read as a recipe
        return None
    if not run_config.is_snapshot(content):
        return None
    return Snapshot(content, file.absolute().parent)


def temporary(content: Mapping[str, Any]) -> Path:
    """Write a configuration to a file that is deleted when this process ends."""
    file = temporary_file(run_config.TEMPORARY)
    atexit.register(_remove, file, os.getpid())
    run_config.write(content, file)
    return file


def _remove(file: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked process, which also runs this
        with suppress(OSError):
            file.unlink()
