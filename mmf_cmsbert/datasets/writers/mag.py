"""The file that MAG-BERT's loader reads.

The loader is in ``multimodal_driver.py`` of github.com/WasifurRahman/BERT_multimodal_transformer.
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.writers import aligned, pickles
from mmf_cmsbert.datasets.writers.aligned import Written
from mmf_cmsbert.errors import DataError

KEYS = {"train": "train", "val": "dev", "test": "test"}


def write_mag(
    folder: Path, splits: Mapping[str, Iterable[Segment]], widths: Mapping[str, int], name: str
) -> Written:
    """Write ``<name>.pkl``.

    It holds ``{"train", "dev", "test"}`` of lists of ``((words, visual, acoustic), label, segment
    id)``.

    One segment is in memory at a time. The layout has no missing modalities: such a segment gets
    zeros. An unknown label is NaN. Videos and times are not written.

    Args:
        folder: an existing folder.
        splits: split -> its segments.
        widths: modality -> columns.
        name: ``mosi`` or ``mosei``, the driver's ``--dataset``.

    Raises:
        DataError: a segment is not word-aligned or has no visible text, or the width of a modality
            is unknown.
    """
    aligned.check_widths(widths, "MAG-BERT")
    path = folder / f"{name}.pkl"
    written = Written()
    with open(path, "wb") as file:
        part = pickles.begin(file)
        file.write(pickle.EMPTY_DICT + pickle.MARK)
        for split, segments in splits.items():
            written.files[split] = path
            part.save(KEYS[split])
            pickles.write_list(part, file, _entries(segments, split, widths, written))
        file.write(pickle.SETITEMS + pickle.STOP)
        aligned.flush(file)
    written.notes.append(
        f"In MAG-BERT's global_configs.py set ACOUSTIC_DIM = {widths['acoustic']} and VISUAL_DIM = "
        f"{widths['visual']}; its driver reads datasets/{name}.pkl."
    )
    if missing := [key for split, key in KEYS.items() if split not in written.files]:
        notes = f"MAG-BERT's loader needs {' and '.join(missing)} as well: convert all splits."
        written.notes.append(notes)
    return written


def _entries(
    segments: Iterable[Segment], split: str, widths: Mapping[str, int], written: Written
) -> Iterator[tuple[Any, ...]]:
    for segment in segments:
        frames = aligned.aligned_frames(segment, widths, "MAG-BERT", written)
        if not any(letter.isprintable() and not letter.isspace() for letter in _text(segment)):
            raise DataError(
                f"segment {segment.id} has no visible text ({_text(segment)!r:.60}); MAG-BERT's "
                "loader fails on a segment without word pieces. Remove it from the source"
            )
        label = aligned.label_of(segment, split, written)
        yield (list(segment.words), frames["visual"], frames["acoustic"]), label, segment.id


def _text(segment: Segment) -> str:
    return " ".join(segment.words)
