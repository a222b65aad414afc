"""The section ``dataset_config.<name>``, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.config_check import check_keys
from mmf_cmsbert.datasets.conversion import ON_INVALID
from mmf_cmsbert.datasets.normalise import CHOICES as NORMALISATIONS
from mmf_cmsbert.datasets.readers.layout import ALIGNMENTS
from mmf_cmsbert.datasets.readers.registry import check_layout
from mmf_cmsbert.datasets.segment import MODALITIES, SPLITS
from mmf_cmsbert.datasets.single_frames import SINGLE_FRAMES
from mmf_cmsbert.datasets.split_files import SplitFiles, read_split_files
from mmf_cmsbert.datasets.synthetic import read_settings
from mmf_cmsbert.datasets.validation import NON_FINITE
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.paths import PACKAGE

_CHOICES = {
    "alignment": ALIGNMENTS,
    "normalise": NORMALISATIONS,
    "on_invalid": ON_INVALID,
    "non_finite": NON_FINITE,
    "single_frame": SINGLE_FRAMES,
}


@dataclass(frozen=True)
class DatasetSettings:
    """What a configured dataset is made of.

    Attributes:
        key: the section, ``dataset_config.<name>``.
        files: where its splits are looked for.
        layout: a layout's name, or ``auto``.
        alignment: ``word`` or ``none``, of computational sequences.
        widths: modality -> columns, None where the corpus is used without the modality.
        max_frames: how many frames a segment may have, longer ones are pooled; None for any number.
        normalise: ``none``, ``corpus`` or ``segment``.
        on_invalid: ``error``, or ``skip`` to leave out a segment that cannot be used.
        non_finite: ``error``, or ``zero`` for values that are not finite.
        vocabulary: the word pieces of MMSA files that hold no text, or None.
        single_frame: ``keep``, or ``every_word`` to give a modality's only frame to each word.
        store_dir: where converted segments are kept.
        synthetic: seed and counts where the files are to be made, else None.
    """

    key: str
    files: SplitFiles
    layout: str
    alignment: str
    widths: dict[str, int | None]
    max_frames: int | None
    normalise: str
    on_invalid: str
    non_finite: str
    vocabulary: Path | None
    single_frame: str
    store_dir: Path
    synthetic: dict[str, int] | None


def defaults_path(name: str) -> Path:
    """The shipped configuration of a dataset."""
    return PACKAGE / "configs" / "datasets" / name / "defaults.yaml"


def shipped_section(name: str) -> dict[str, Any]:
    """The section ``dataset_config.<name>`` as it is shipped, references unresolved."""
    return OmegaConf.to_container(OmegaConf.load(defaults_path(name)))["dataset_config"][name]


def read_dataset_settings(name: str, config: Any) -> DatasetSettings:
    """Read ``dataset_config.<name>``.

    Raises:
        ConfigError: an unknown key, or a value that cannot be followed.
    """
    key = f"dataset_config.{name}"
    given = OmegaConf.to_container(config, resolve=True)
    known = shipped_section(name)
    check_keys(given, known, key, free=("processors.*.params", "synthetic"))
    check_layout(given["layout"], f"{key}.layout")
    for each, choices in _CHOICES.items():
        if given[each] not in choices:
            raise ConfigError(
                f"{key}.{each} is {given[each]!r}; expected one of {', '.join(choices)}"
            )
    settings = DatasetSettings(
        key=key,
        files=read_split_files(name, given, known, given["layout"]),
        layout=given["layout"],
        alignment=given["alignment"],
        widths={m: _width(given["features"].get(m), f"{key}.features.{m}") for m in MODALITIES},
        max_frames=_max_frames(given["max_frames"], f"{key}.max_frames"),
        normalise=given["normalise"],
        on_invalid=given["on_invalid"],
        non_finite=given["non_finite"],
        vocabulary=_vocabulary(given["vocabulary"], f"{key}.vocabulary"),
        single_frame=given["single_frame"],
        store_dir=_folder(given["store_dir"], f"{key}.store_dir"),
        synthetic=_synthetic(given["synthetic"], f"{key}.synthetic"),
    )
    if settings.synthetic:
        _check_synthetic_files(settings)
    return settings


def _vocabulary(value: Any, key: str) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not Path(value).expanduser().exists():
        raise ConfigError(
            f"{key} is {value!r}, which is no file; expected the vocab.txt of a tokenizer, or null"
        )
    return Path(value).expanduser().absolute()


def _folder(value: Any, key: str) -> Path:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key} is {value!r}; expected a folder to keep converted segments in")
    return Path(value).expanduser().absolute()


def _width(value: Any, key: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise ConfigError(
            f"{key} is {value!r}; expected how many columns its frames have, or null to use the "
            "corpus without it"
        )
    return value or None


def _max_frames(value: Any, key: str) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise ConfigError(
            f"{key} is {value!r}; expected how many frames of a modality a segment may have, from "
            "1, or null for any number"
        )
    return value


def _synthetic(given: Any, key: str) -> dict[str, int] | None:
    if given is None or given is False:
        return None
    if not isinstance(given, Mapping):
        raise ConfigError(f"{key} is {given!r}; expected null or a section such as {{seed: 1}}")
    return read_settings(given, key)


def _check_synthetic_files(settings: DatasetSettings) -> None:
    if settings.files.source:
        raise ConfigError(
            f"{settings.key}.synthetic makes a corpus, and {settings.key}.source names one; give "
            "one of them"
        )
    files = [file for split in settings.files.annotations.values() for file in split]
    one_a_split = settings.layout in ("auto", "misa")
    if not one_a_split or len(files) != len(SPLITS) or len(set(files)) != len(SPLITS):
        raise ConfigError(
            f"{settings.key}.synthetic writes one file a split in the MISA layout; expected one "
            f"name under each of {settings.key}.annotations.train, val and test, and layout auto "
            "or misa"
        )
