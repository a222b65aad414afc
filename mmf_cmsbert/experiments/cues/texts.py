"""Transcripts and labels for the planted-cue benchmark: from a user's corpus, or generated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.datasets.stores.manifest import SourceFile
from mmf_cmsbert.datasets.synthetic_text import write_sentence
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.utils.unfinished import scratch_folder

# Segments of the generated text, and the deviation of its labels from the opinion word's value.
GENERATED = {"train": 480, "val": 120, "test": 400}
LABEL_NOISE = 0.5


@dataclass(frozen=True)
class Texts:
    """Segments with words and labels, without frames.

    Attributes:
        splits: split -> its segments.
        sources: the files that they come from, empty for generated text.
        skipped: a message for each segment that could not be used.
    """

    splits: Mapping[str, Sequence[Segment]]
    sources: tuple[SourceFile, ...] = ()
    skipped: tuple[str, ...] = ()


def read_corpus(paths: Sequence[Path], layout: str, scratch_in: Path) -> Texts:
    """Read words and labels of a corpus with all three splits; its frames are left out.

    Transcripts that are upper-case throughout are made lower-case: a cased backbone would read
    them as abbreviations.

    Args:
        paths: files and folders of the corpus.
        layout: a layout's name, or ``auto``.
        scratch_in: a folder for a temporary store.

    Raises:
        DataError: a split is missing, or a file cannot be read.
    """
    source = find_source(paths, layout=layout)
    missing = [split for split in SPLITS if split not in source.files]
    if missing:
        raise DataError(
            f"{', '.join(map(str, paths))}: there is no {missing[0]} split, but "
            f"{', '.join(source.files)}; the benchmark needs {', '.join(SPLITS)}"
        )
    settings = ConversionSettings(
        corpus="mosi", layout=layout, widths={}, labelled=True, on_invalid="skip"
    )
    splits: dict[str, list[Segment]] = {}
    sources: dict[str, SourceFile] = {}
    skipped: list[str] = []
    with scratch_folder(scratch_in) as scratch:
        for split, files in source.files.items():
            others = [f for other, each in source.files.items() if other != split for f in each]
            store = convert(files, split, settings, scratch / split, others)
            sources |= {each.path: each for each in store.manifest.sources}
            skipped += store.manifest.skipped
            splits[split] = list(store)
    everything = [segment for each in splits.values() for segment in each]
    if all(word == word.upper() for segment in everything for word in segment.words):
        splits = {split: [_lower(each) for each in found] for split, found in splits.items()}
    return Texts(splits, tuple(sources.values()), tuple(skipped))


def generate(seed: int) -> Texts:
    """Generate segments of the demo's sentences.

    The label is the value of the sentence's opinion word plus normal noise of standard deviation
    0.5, so the smallest mean squared error of the label given the text is exactly 0.25.
    """
    splits = {}
    for number, (split, count) in enumerate(GENERATED.items()):
        rng = np.random.default_rng([seed, number])
        splits[split] = [_generated(f"generated-{split}-{i}", rng) for i in range(count)]
    return Texts(splits)


def _generated(name: str, rng: np.random.Generator) -> Segment:
    words, _, value = write_sentence(rng)
    return Segment(name, name, tuple(words), {}, value + LABEL_NOISE * float(rng.normal()))


def _lower(segment: Segment) -> Segment:
    return replace(segment, words=tuple(word.lower() for word in segment.words))
