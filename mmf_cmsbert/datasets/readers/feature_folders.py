"""Folders with feature files beside a list of segments: ``<modality>/<id>.npy`` or ``.npz``."""

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from mmf_cmsbert.datasets.readers.names import FIELD_NAMES, modality_named
from mmf_cmsbert.datasets.segment import FACE_VOICE, in_order

FILES = "*.np[yz]"
# A folder with more subfolders than this is searched for visual and acoustic frames only.
_MOST_FOLDERS = 50


def feature_folders(
    folder: Path, modalities: Collection[str] | None = None
) -> dict[str, list[Path]]:
    """Return the existing folders of each modality, those of synonyms together.

    Args:
        folder: the folder of the list.
        modalities: the modalities to look for; None for each subfolder with feature files that is
            named as a modality can be.
    """
    if modalities is None:
        modalities = in_order([*FACE_VOICE, *_others(folder)])
    places = {m: [folder / name for name in names_of(m)] for m in modalities}
    found = {m: [place for place in each if place.is_dir()] for m, each in places.items()}
    return {m: each for m, each in found.items() if each}


def names_of(modality: str) -> tuple[str, ...]:
    """Return the names that a modality's folder can have."""
    return FIELD_NAMES[modality] if modality in FACE_VOICE else (modality,)


def _others(folder: Path) -> Iterator[str]:
    below = list(islice((each for each in folder.iterdir() if each.is_dir()), _MOST_FOLDERS + 1))
    for each in below if len(below) <= _MOST_FOLDERS else ():
        if modality_named(each.name) == each.name and next(each.glob(FILES), None):
            yield each.name
