"""Write the canonical text-plus-acoustic CMU-MOSI as a folder that the recipes train on.

    python projects/cmsbert/make_canonical_corpus.py transcripts_labels.csv acoustic_utterance.npz \
        /data/mosi_text_acoustic

The table has one row per segment with the columns id, video_id, split (train, dev or val, test),
label, start_s, end_s and transcript. The archive holds `ids (segments,)` and `acoustic (segments,
width)`, one openSMILE vector per segment, which becomes an acoustic sequence of one frame. Visual
frames are missing. Words are written in lower case: the transcripts are all upper case, which a
cased backbone would read as abbreviations.
"""

import argparse
import csv
import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

_COLUMNS = ("id", "video_id", "split", "label", "start_s", "end_s", "transcript")
_SPLITS = {"train": "train", "dev": "val", "val": "val", "test": "test"}


class CorpusError(Exception):
    """The table or the archive is invalid; the message names the place and the value."""


def read_segments(table: Path) -> list[dict]:
    """Return the rows of ``segments.jsonl``, in the table's order.

    Raises:
        CorpusError: a column is missing, or a cell cannot be used.
    """
    segments = {}
    with open(table, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in _COLUMNS if name not in (reader.fieldnames or [])]:
            raise CorpusError(f"{table}: column {missing[0]!r} is missing; expected {_COLUMNS}")
        for row in reader:
            where = f"{table}: line {reader.line_num} ({row['id']})"
            if row["id"] in segments:
                raise CorpusError(f"{where}: duplicate id")
            if not row["id"] or row["id"].startswith(".") or "/" in row["id"] or "\\" in row["id"]:
                raise CorpusError(f"{where}: the id cannot name a file")
            try:
                segments[row["id"]] = _segment(row)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise CorpusError(f"{where}: cannot be used ({error!r}): {dict(row)}") from error
    return list(segments.values())


def _segment(row: dict) -> dict:
    segment = {
        "id": row["id"],
        "video": row["video_id"],
        "split": _SPLITS[row["split"]],
        "label": float(row["label"]),
        "words": row["transcript"].lower().split(),
    }
    if not segment["words"]:
        raise ValueError("no words")
    start, end = float(row["start_s"]), float(row["end_s"])
    # One segment of the published labels has no duration, but words and an acoustic vector.
    return segment | ({"start": start, "end": end} if start < end else {})


def read_vectors(archive: Path) -> dict[str, np.ndarray]:
    """Map each segment id to its acoustic sequence of one frame, float32 ``(1, width)``.

    Raises:
        CorpusError: not an archive of ``ids`` and ``acoustic`` of equal length.
    """
    try:
        with np.load(archive, allow_pickle=False) as arrays:
            ids, acoustic = arrays["ids"], arrays["acoustic"].astype(np.float32)
        if ids.ndim != 1 or acoustic.ndim != 2 or len(ids) != len(acoustic):
            raise ValueError(f"shapes {ids.shape} and {acoustic.shape}")
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise CorpusError(
            f"{archive}: expected an archive of 'ids' (segments,) and 'acoustic' (segments, "
            f"width); {error}"
        ) from error
    return dict(zip(ids.tolist(), acoustic[:, None], strict=True))


def write_folder(segments: list[dict], vectors: dict[str, np.ndarray], folder: Path) -> None:
    """Write ``segments.jsonl`` and ``acoustic/<id>.npy``, completely or not at all.

    Raises:
        CorpusError: the folder exists, or a segment has no acoustic vector.
    """
    if folder.exists():
        raise CorpusError(f"{folder} already exists; name another folder, or remove it")
    if missing := [s["id"] for s in segments if s["id"] not in vectors]:
        raise CorpusError(
            f"{len(missing)} segments have no acoustic vector; the first is {missing[0]}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        (unfinished / "acoustic").mkdir()
        for segment in segments:
            np.save(unfinished / "acoustic" / f"{segment['id']}.npy", vectors[segment["id"]])
        lines = "".join(json.dumps(segment) + "\n" for segment in segments)
        (unfinished / "segments.jsonl").write_text(lines, encoding="utf-8")
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise


def arguments(description: str, source: str, what: str) -> argparse.Namespace:
    """Return what was typed: ``table``, the file named by ``source``, and ``folder``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="the segments, as CSV")
    parser.add_argument(source, type=Path, help=what)
    parser.add_argument("folder", type=Path, help="folder to write; must not exist")
    return parser.parse_args()


def show_counts(segments: list[dict], folder: Path) -> None:
    counts = Counter(segment["split"] for segment in segments)
    print(f"{folder}: " + ", ".join(f"{n} {split}" for split, n in counts.items()))


def main() -> None:
    given = arguments(__doc__, "archive", "their acoustic vectors, as NPZ")
    try:
        segments = read_segments(given.table)
        write_folder(segments, read_vectors(given.archive), given.folder)
    except (CorpusError, OSError, UnicodeDecodeError) as error:
        sys.exit(str(error))
    show_counts(segments, given.folder)


if __name__ == "__main__":
    main()
