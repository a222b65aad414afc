"""The folder of a run: lock it, and refuse it if it contains an earlier run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmf_cmsbert.checkpoints import model_files
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.records import history, record
from mmf_cmsbert.utils.folder_lock import locked
from mmf_cmsbert.utils.unfinished import clear_locked

_CHECKPOINTS = ("*.ckpt", "models/*.ckpt", "*_final.pth")
# Files that MMF and this package write into a run's folder, which a new run replaces.
_WRITTEN = (
    "*best.ckpt",
    "*current.ckpt",
    "models/model_*.ckpt",
    "*_final.pth",
    record.NAME,
    history.NAME,
    "config.yaml",
    "train.log",
    "logs/*",
    "logs/tensorboard_*/*",
    "*_*/reports/*",
    "report.html",
    "report/*.png",
    "report/segments.json",
)
_APPENDED = "train.log"
_ELSEWHERE = "env.save_dir=FOLDER"


@dataclass(frozen=True)
class EarlierRun:
    """An earlier run in a folder.

    Attributes:
        folder: the folder of the run.
        record: the content of its ``run.json``; None if it is missing or cannot be read.
        checkpoints: its checkpoints, newest last.
        files: the files that a new run replaces, with their ``stat`` results.
    """

    folder: Path
    record: Mapping[str, Any] | None
    checkpoints: tuple[Path, ...]
    files: Mapping[Path, os.stat_result]

    def __str__(self) -> str:
        if self.record is None:
            names = ", ".join(str(file.relative_to(self.folder)) for file in self.checkpoints[:3])
            written = [file.stat().st_mtime for file in self.checkpoints]
            if not written:
                return f"a {record.NAME} that cannot be read"
            newest = datetime.fromtimestamp(max(written), timezone.utc)
            return f"checkpoints without a {record.NAME} ({names}; newest of {newest:%F %R} UTC)"
        found = self.record
        status = "killed" if found["status"] == "running" else found["status"]
        details = [f"{found['updates']} updates"] if found.get("updates") is not None else []
        details += _test_score(found)
        when = found.get("ended") or found.get("started")
        if when:
            details.append(f"{'ended' if found.get('ended') else 'started'} {when}")
        if not self.checkpoints:
            details.append("no checkpoint")
        article = "an" if status[0] in "aeiou" else "a"
        return f"{article} {status} run" + f" ({', '.join(details)})" * bool(details)

    def remove(self) -> None:
        """Delete the run's files, except those that have been written since they were listed."""
        for file, before in self.files.items():
            if not file.exists():
                continue
            now = file.stat()
            if os.path.samestat(now, before) and now.st_mtime_ns == before.st_mtime_ns:
                file.unlink()
            elif file.name == _APPENDED and now.st_size > before.st_size:
                _drop_beginning(file, before.st_size)
        for folder in {file.parent for file in self.files} - {self.folder}:
            if folder.is_dir() and folder.name != "models" and not any(folder.iterdir()):
                folder.rmdir()


def find(folder: Path) -> EarlierRun | None:
    """Return the earlier run in a folder, or None if a new run would not replace any results.

    A run that failed or was interrupted before its first checkpoint has no results.
    """
    found = record.find(folder)
    checkpoints = sorted(
        (file for pattern in _CHECKPOINTS for file in folder.glob(pattern) if file.is_file()),
        key=lambda file: file.stat().st_mtime,
    )
    if not checkpoints:
        if found is None and not (folder / record.NAME).is_file():
            return None
        if found is not None and found["status"] in ("failed", "interrupted"):
            return None
    written = {file: file.stat() for p in _WRITTEN for file in folder.glob(p) if file.is_file()}
    if model_files.is_model(model := folder / model_files.OF_RUN):
        written |= {file: file.stat() for file in model.iterdir() if file.is_file()}
    return EarlierRun(folder, found, tuple(checkpoints), written)


@contextmanager
def opened(config: Mapping[str, Any], command: str, trains: bool) -> Iterator[EarlierRun | None]:
    """Lock a run's folder during the block.

    Args:
        config: the whole configuration, resolved, as plain containers.
        command: the typed command.
        trains: whether the run trains, and therefore replaces an earlier one.

    Yields:
        The earlier run that ``env.overwrite`` replaces, or None. The caller deletes it with
        :meth:`EarlierRun.remove` when the new run starts, after all checks.

    Raises:
        ConfigError: another command writes to the folder, or it contains an earlier run, and
            neither ``checkpoint.resume`` nor ``env.overwrite`` is set.
    """
    folder = Path(config["env"]["save_dir"]).expanduser()
    resume, overwrite = _true(config["checkpoint"]["resume"]), _true(config["env"]["overwrite"])
    if trains and resume and overwrite:
        raise ConfigError(
            "checkpoint.resume=true continues the run in env.save_dir and env.overwrite=true "
            "replaces it; type one of them"
        )
    with locked(folder, command, _ELSEWHERE):
        for place in (folder, folder / "models"):
            clear_locked(place)
        earlier = find(folder) if trains and not resume else None
        if earlier and not overwrite:
            raise ConfigError(
                f"{folder.absolute()} contains {earlier}, which a new run would replace. Type "
                f"{_ELSEWHERE} to use another folder, checkpoint.resume=true to continue the "
                "earlier run, or env.overwrite=true to replace it"
            )
        yield earlier


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")  # MMF's command line may give a string


def _test_score(found: Mapping[str, Any]) -> list[str]:
    scores = found.get("test") or {}
    name = (found.get("criterion") or {}).get("name")
    name = name if name in scores else next(iter(scores), None)
    return [] if name is None else [f"test {name} {scores[name]:.4f}"]


def _drop_beginning(file: Path, size: int) -> None:
    """Delete the first ``size`` bytes of a log that this process appends to."""
    with open(file, "r+b") as stream:
        stream.seek(size)
        rest = stream.read()
        stream.seek(0)
        stream.write(rest)
        stream.truncate()
