"""Read records of runs, and compare them with the current state."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.config import trained
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json
from mmf_cmsbert.records import provenance
from mmf_cmsbert.utils.environment import with_values

NAME, FORMAT = "run.json", 1
_LARGEST = 1 << 26
# Keys that set where a run is saved and what it logs, which do not change its results.
_NO_INFLUENCE = (
    "config",
    "env",
    "run_type",
    "checkpoint.resume",
    "checkpoint.max_to_keep",
    "checkpoint.export",
    "training.experiment_name",
    "training.log_",
    "training.logger_level",
    "training.report",
    "training.should_not_log",
    "training.stdout_capture",
    "training.tensorboard",
    "training.trackers",
    "training.wandb",
    "training.verbose",
)
_SHOWN = 4


def read(path: Path) -> dict[str, Any]:
    """Read the record in a file, or in a run's folder.

    Raises:
        DataError: the file does not exist, or is not a record.
    """
    file = path / NAME if path.is_dir() else path
    try:
        record = read_json(file, _LARGEST)
    except OSError as error:
        raise DataError(
            f"{file}: {error.strerror}; expected the {NAME} that mmf_run writes to env.save_dir"
        ) from error
    except ValueError as error:
        raise DataError(f"{file} is not JSON ({error}); expected a run's {NAME}") from error
    found = record.get("format") if isinstance(record, dict) else None
    if found != FORMAT:
        raise DataError(f"{file}: format is {found!r}; expected {FORMAT}, of a run's {NAME}")
    return record


def find(folder: Path) -> dict[str, Any] | None:
    """Return the record in a run's folder; None if it is missing or cannot be read."""
    try:
        return read(folder)
    except DataError:
        return None


def differences(record: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """List in words the differences between a run with ``config`` now and the recorded one.

    The data is not compared if the recorded run did not finish.
    """
    record = with_values(record)
    old = dict(flat(record["config"]))
    changed = changes(old, dict(flat(config)))
    found = [f"{key} was {was} and is {now}" for key, (was, now) in changed.items()]
    if len(found) > _SHOWN:
        found[_SHOWN:] = [f"{len(found) - _SHOWN} more keys differ"]
    if record["code_sha256"] != provenance.code_sha256():
        found.append(
            "the package's code has changed (commit was "
            f"{commit_name(record['commit'])} and is {commit_name(provenance.commit())})"
        )
    found += [
        f"{name} was {was} and is {now}"
        for name, (was, now) in changes(record["versions"], provenance.versions()).items()
    ]
    if record["backbone"] != provenance.backbone_identity(config):
        found.append("the weights of the backbone have changed")
    if record["data"] is not None:
        old, new = (dict(flat(d)) for d in (record["data"], provenance.data_hashes(config)))
        for key, (_, now) in changes(old, new).items():
            found.append(f"the data {key} {'is missing' if now is None else 'has changed'}")
    return found


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the keys that differ: key -> (old, new), where None stands for a missing key."""
    keys = [*old, *(key for key in new if key not in old)]
    pairs = {key: (old.get(key), new.get(key)) for key in keys}
    return {key: (was, now) for key, (was, now) in pairs.items() if was != now}


def flat(config: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of a configuration that affect results, with their values.

    A list is one value unless it contains sections: ``losses[1].params.weight``.
    """
    if key.startswith(_NO_INFLUENCE) or key.endswith(".store_dir"):
        return
    if isinstance(config, Mapping) and config:
        for name, value in config.items():
            yield from flat(value, f"{key}.{name}" if key else str(name))
    elif isinstance(config, list) and any(isinstance(item, Mapping) for item in config):
        for i, item in enumerate(config):
            yield from flat(item, f"{key}[{i}]")
    else:
        yield key, config


def is_synthetic(record: Mapping[str, Any]) -> bool:
    """Return whether a run was trained on a synthetic or semi-synthetic corpus.

    Its stores say so, or the configuration where the record is of an earlier version.
    """
    config = record["config"]
    sections = config.get("dataset_config") or {}
    return bool(record.get("synthetic")) or any(
        (sections.get(name) or {}).get("synthetic") for name in trained.datasets(config)
    )


def commit_name(commit: Mapping[str, Any] | None) -> str:
    """Return the abbreviated hash of a commit from :func:`provenance.commit`."""
    if commit is None:
        return "unknown"
    return commit["hash"][:10] + (" with changes" if commit["dirty"] else "")
