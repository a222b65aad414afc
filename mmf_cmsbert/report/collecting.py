"""What a report shows of a run, collected from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mmf_cmsbert.checkpoints import model_files
from mmf_cmsbert.config import definitions, run_config, trained
from mmf_cmsbert.config.schemas.validation import read as read_section
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import ConfigError, DataError, UserError
from mmf_cmsbert.files import WriteError, read_regular, replace_text
from mmf_cmsbert.records import history, record
from mmf_cmsbert.report.collected import FORMAT, Collected, Part
from mmf_cmsbert.utils.environment import with_values

if TYPE_CHECKING:
    from mmf_cmsbert.datasets.stores.store import StoredSegments
    from mmf_cmsbert.predictor import SentimentPredictor

FOLDER, SEGMENTS = "report", "segments.json"
_LARGEST = 1 << 28


@dataclass(frozen=True)
class RunReport:
    """A run, as far as its folder tells.

    Attributes:
        folder: of the run.
        record: its ``run.json``.
        entries: its history.
        collected: its scored segments.
    """

    folder: Path
    record: Mapping[str, Any]
    entries: list[history.Entry]
    collected: Collected

    @property
    def name(self) -> str:
        return self.folder.absolute().name

    @property
    def synthetic(self) -> bool:
        parts = self.collected.parts
        return any(part.synthetic for part in parts) or record.is_synthetic(self.record)


def finished(folder: Path) -> Mapping[str, Any]:
    """Return the record of a finished run.

    Raises:
        DataError: the folder holds no finished run, or its files are damaged.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; expected the env.save_dir of a run")
    recorded = record.read(folder)
    if recorded["status"] != "finished":
        raise DataError(
            f"{folder}: the run is {recorded['status']}, and has no scores to report; resume it "
            "with checkpoint.resume=true, or name a finished run"
        )
    return recorded


def collect(folder: Path) -> RunReport:
    """Collect a run; its segments are predicted unless that was done for an earlier report.

    Raises:
        DataError: the folder holds no finished run, or its files are damaged.
    """
    folder = folder.expanduser()
    recorded = finished(folder)
    entries = history.read(folder)
    file = folder / FOLDER / SEGMENTS
    found = _kept(file)
    if found is None or found.identity != identity(recorded):
        found = _predicted(folder, recorded)
        make_folder(file.parent)
        replace_text(file, found.model_dump_json())
    return RunReport(folder, recorded, entries, found)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless they exist.

    Raises:
        WriteError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, error) from error


def identity(recorded: Mapping[str, Any]) -> str:
    """What the predictions of a run depend on, as far as it can change in the same folder."""
    best = recorded.get("best") or {}
    return f"{recorded['started']} {recorded['code_sha256'][:16]} {best.get('update')}"


def scored_split(recorded: Mapping[str, Any]) -> str:
    """The split that a report shows: test where the run scores it, else validation."""
    return "test" if recorded["test"] else "val"


def _kept(file: Path) -> Collected | None:
    with suppress(OSError, DataError, ValidationError):
        found = Collected.model_validate_json(read_regular(file, _LARGEST))
        return found if found.format == FORMAT else None
    return None


def _predicted(folder: Path, recorded: Mapping[str, Any]) -> Collected:
    config = configuration(folder, recorded)
    parts, missing = [], []
    try:
        predictor = model(folder, next(iter(sections(config))))
    except UserError as error:
        missing.append(str(error))
    else:
        for name, section in sections(config).items():
            try:
                parts.append(_part(predictor, name, section, scored_split(recorded)))
            except UserError as error:
                missing.append(f"{name}: {error}")
    return Collected(identity=identity(recorded), parts=parts, missing=missing)


def configuration(folder: Path, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's configuration, with absolute paths where they are known."""
    with suppress(OSError, UserError):
        content = with_values(read_yaml(folder / run_config.NAME))
        if run_config.is_snapshot(content):
            return dict(content)
    return dict(with_values(recorded["config"]))


def sections(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the sections of the datasets that a run was trained on, by name."""
    known = config.get("dataset_config") or {}
    return {name: known.get(name) or {} for name in trained.datasets(config)}


def model(folder: Path, dataset: str) -> SentimentPredictor:
    """Return the model of a run, for one of its datasets.

    Raises:
        UserError: the run has no model.
    """
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.predictor.export import load_run

    exported = folder / model_files.OF_RUN
    return (
        SentimentPredictor(exported, dataset=dataset)
        if model_files.is_model(exported)
        else load_run(folder)
    )


def _part(given: SentimentPredictor, name: str, section: Mapping[str, Any], split: str) -> Part:
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.report.predicting import predicted

    stores: dict[str, StoredSegments] = {}
    for each in dict.fromkeys((split, *SPLITS)):
        try:
            stores[each] = store(name, section, each)
        except UserError:
            if each == split:
                raise
    stored = stores[split]
    predictor = SentimentPredictor.of(
        given.config, given.network, given.tokenizer, given.device, name
    )
    counts = {each: len(stores[each]) for each in SPLITS if each in stores}
    return predicted(predictor, stored, name, split, counts, stored.manifest.synthetic)


def store(name: str, section: Mapping[str, Any], split: str) -> StoredSegments:
    """Return a split of a dataset, given its section of the configuration.

    Raises:
        UserError: its data is missing, or it is a dataset of another package.
    """
    from mmf_cmsbert.datasets.stored_split import stored_split

    schema = definitions.schema_for(name, section)
    if schema is None:
        raise ConfigError(
            f"{name} is a dataset of another package; a report shows segments of datasets of this "
            "package and of those that datasets/NAME.yaml defines"
        )
    settings = read_section(schema, section, f"dataset_config.{name}")
    return stored_split(name, name, settings, split)
