"""The files of each split, from the keys ``source``, ``annotations`` and ``data_dir``."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.schemas.corpora import title
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.datasets.readers import hub_reference
from mmf_cmsbert.datasets.readers.registry import recognise
from mmf_cmsbert.datasets.readers.source import Source, find_source
from mmf_cmsbert.datasets.readers.source_folder import NothingFound
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import DataError

_DOWNLOAD = {
    name: f"  cmsbert data download {name}    the .csd files that CMU-MultimodalSDK publishes\n"
    for name in ("mosi", "mosei")
}
_ORIGINS = dict.fromkeys(
    _DOWNLOAD,
    "The repositories of MISA, MAG-BERT and MMSA on GitHub link to processed pickles of it.",
)
_ELSEWHERE = "docs/corpora.md says where its authors publish it."
_KEYS = ("source", "split", "annotations", "data_dir", "layout", "streaming")


@dataclass(frozen=True)
class SplitFiles:
    """Where to search for a dataset's splits. Nothing is read before a split is requested.

    Attributes:
        key: the configuration section, ``dataset_config.<name>``.
        data_dir: the folder for relative names, absolute.
        source: the paths of ``source``, empty for none. Relative paths are searched in the working
            folder, then in ``data_dir``.
        annotations: split -> the files under ``annotations``, absolute.
        shipped: the splits whose ``annotations`` are the default ones.
        layout: a layout's name, or ``auto``.
        streaming: whether datasets of the hub are read without being downloaded.
        divided: whether all splits are parts of the same files, by a rule.
    """

    key: str
    data_dir: Path
    source: tuple[Path, ...]
    annotations: dict[str, list[Path]]
    shipped: frozenset[str]
    layout: str
    streaming: bool = False
    divided: bool = False

    def of(self, split: str) -> list[Path]:
        """Return the existing files of a split.

        Raises:
            DataError: none were found; the message lists the searched paths and what to type.
        """
        if self.source:
            return self._of_source(split)
        files = self.annotations[split]
        missing = [file for file in files if not file.exists()]
        if missing and split in self.shipped and (found := self._in_data_dir(split)):
            return found
        if missing:
            raise DataError(self._how_to_get(split, missing))
        return [each for file in files for each in self._expanded(file, split)]

    def shared(self, split: str) -> set[Path]:
        """Return the files of a split that another split has too, unless a rule divides them."""
        if self.divided:
            return set()
        files: dict[str, list[Path]] = dict.fromkeys(SPLITS, [])
        for each in SPLITS:
            with suppress(DataError):  # of a split that was not requested
                files[each] = self.of(each)
        others = [file for other, each in files.items() if other != split for file in each]
        return set(files[split]) & set(others)

    def _of_source(self, split: str) -> list[Path]:
        paths = [self._placed(path) for path in self.source]
        found = find_source(paths, layout=self.layout)
        if self.divided:
            if found.unnamed:
                return list(found.unnamed)
            raise DataError(
                f"{self.key}.split divides data without splits, and "
                f"{', '.join(map(str, self.source))} has {' and '.join(found.files)}; type "
                f"{self.key}.split=null to use them"
            )
        if split in found.files:
            return found.files[split]
        where = f"{self.key}.source={', '.join(map(str, self.source))}"
        raise DataError(f"{where}: {_lacks(found, split, self.key)}")

    def _placed(self, path: Path) -> Path:
        if hub_reference.is_address(path):
            return hub_reference.located(path, self.streaming)
        try:
            path = path.expanduser()
        except RuntimeError as error:  # ~NAME of no user
            raise DataError(f"{self.key}.source={path}: {error}") from error
        places = dict.fromkeys((path.absolute(), self.data_dir / path))
        for place in places:
            if place.exists() or place.is_symlink():
                return place
        raise DataError(
            f"{self.key}.source={path}: there is no such file or folder; looked for "
            f"{' and '.join(map(str, places))}"
        )

    def _in_data_dir(self, split: str) -> list[Path]:
        """Search for the split in the dataset's folder in ``data_dir``, then in ``data_dir``."""
        name = self.key.rpartition(".")[2]
        # Subfolders of data_dir itself belong to other datasets.
        for folder, levels in ((self.data_dir / name, None), (self.data_dir, 0)):
            with suppress(NothingFound):
                if folder.is_dir():
                    found = find_source([folder], layout=self.layout, levels=levels)
                    return found.files.get(split, [])
        return []

    def _expanded(self, path: Path, split: str) -> list[Path]:
        """Resolve a path under ``annotations``: a file, or a split's file in a folder."""
        if not path.is_dir() or recognise(path) is not None:
            return [path]
        found = find_source([path], layout=self.layout)
        if found.unnamed:  # the list that names it gives its split
            return list(found.unnamed)
        if split not in found.files:
            raise DataError(
                f"{self.key}.annotations.{split}: {path}: {_lacks(found, split, self.key)}"
            )
        return found.files[split]

    def _how_to_get(self, split: str, missing: list[Path]) -> str:
        name = self.key.rpartition(".")[2]
        where = "".join(f"\n  {file}" for file in missing)
        return (
            f"{name}: no data file for the {split} split. Looked for{where}\n"
            f"({self.key}.annotations.{split}, in {self.key}.data_dir={self.data_dir})\n"
            "If you have the corpus, type its file or folder, or the folder with the files above:\n"
            f"  {self.key}.source=PATH        any layout; cmsbert data inspect PATH shows its "
            "content\n"
            f"  {self.key}.data_dir=FOLDER\n"
            f"If you do not:\n{_DOWNLOAD.get(name, '')}"
            "  make demo    a synthetic corpus, like mmf_run config=projects/cmsbert/demo.yaml\n"
            f"{title(name)} is research data and is not part of this package. "
            f"{_ORIGINS.get(name, _ELSEWHERE)}"
        )


def read_split_files(
    schema: type[SentimentDatasetConfig], name: str, given: Mapping[str, Any]
) -> SplitFiles:
    """Read ``source``, ``annotations``, ``data_dir`` and ``layout`` of ``dataset_config.<name>``.

    Args:
        schema: the dataset's schema.
        name: the dataset's name.
        given: the section, references resolved.

    Raises:
        ConfigError: a value has the wrong type, or both ``source`` and ``annotations`` are set.
    """
    key = f"dataset_config.{name}"
    named = {each: given[each] for each in _KEYS if each in given}
    config = read(schema, named, key)
    data_dir = Path(config.data_dir).expanduser().absolute()
    return SplitFiles(
        key=key,
        data_dir=data_dir,
        source=tuple(map(Path, config.source or ())),
        annotations={
            split: [data_dir / Path(file).expanduser() for file in files]
            for split, files in config.annotations
        },
        shipped=frozenset(SPLITS).difference(config.own_annotations()),
        layout=config.layout,
        streaming=config.streaming,
        divided=config.split is not None,
    )


def _lacks(found: Source, split: str, key: str) -> str:
    if found.unnamed:
        return (
            f"it has no {split} split. No split is named in it, so all its segments count as test. "
            "Give the segments a 'split', or files and folders names such as train, dev and test; "
            f"or type {key}.split={{val: 0.1, test: 0.2}} to split it by its videos"
        )
    return f"it has no {split} split, only {' and '.join(found.files)}"
