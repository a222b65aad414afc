"""MELD as its authors publish it: a table of utterances for each split, and acoustic vectors.

``train_sent_emo.csv``, ``dev_sent_emo.csv`` and ``test_sent_emo.csv`` have the columns Utterance,
Speaker, Emotion, Sentiment, Dialogue_ID, Utterance_ID, StartTime and EndTime. Where
``audio_embeddings_feature_selection_emotion.pkl`` is beside them or in ``features/``, it gives an
acoustic vector for each utterance: three dicts, of training, validation and test, by
``DIALOGUE_UTTERANCE``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.context import Turn, with_context
from mmf_cmsbert.datasets.readers.fields import read_each, segment_of
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.names import split_in
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.tables import table_rows
from mmf_cmsbert.datasets.readers.text import describe, split_text
from mmf_cmsbert.datasets.readers.unpickler import load_plain
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import open_regular

TABLES = "*_sent_emo*.csv"
ACOUSTIC = "audio_embeddings_feature_selection_emotion.pkl"
_METADATA = ("Emotion", "Sentiment", "Speaker", "Season", "Episode")
_COLUMNS = ("Utterance", "Emotion", "Dialogue_ID", "Utterance_ID")
_TIME = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+)")


@register_layout("meld")
class MELD(Layout):
    """Utterances of dialogues; the context is that of the dialogue.

    Labels are the names of the emotion and the sentiment.
    """

    examples = ("train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv",)
    rank = 8

    def recognise(self, path: Path) -> bool:
        if path.is_dir():
            return any(path.glob(TABLES))
        if path.suffix.lower() != ".csv":
            return False
        try:
            with open_regular(path) as file:
                header = file.readline(1 << 12).decode("utf-8", "replace")
        except OSError:
            return False  # the message comes from the reader
        return all(name in header for name in _COLUMNS)

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        tables = _tables(path)
        return [split for split in SPLITS if split in tables] if path.is_dir() else ()

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        table = _tables(path).get(split, path) if path.is_dir() else path
        acoustic = _acoustic_file(table.parent)
        return [table, *([acoustic] if acoustic else [])]

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        for path in files:
            yield from _segments(path, request)


def _tables(folder: Path) -> dict[str | None, Path]:
    tables: dict[str | None, Path] = {}
    for each in sorted(folder.glob(TABLES)):
        if (first := tables.setdefault(split_in(each.stem), each)) is not each:
            raise DataError(
                f"{folder}: {first.name} and {each.name} both name the same split; name the files "
                "to read one by one"
            )
    return tables


def _acoustic_file(folder: Path) -> Path | None:
    places = (folder / ACOUSTIC, folder / "features" / ACOUSTIC)
    return next((place for place in places if place.is_file()), None)


def _segments(path: Path, request: Request) -> Iterator[Segment | SegmentError]:
    table = _tables(path).get(request.split) if path.is_dir() else path
    if table is None:
        raise DataError(f"{path}: no {request.split} split, such as {request.split}_sent_emo.csv")
    acoustic = _acoustic(table.parent, request.split)
    rows = [
        (where, row if isinstance(row, SegmentError) else _checked(row, where))
        for where, row in table_rows(table)
    ]
    request.on_count(len(rows))
    spoken: dict[str, list[tuple[int, str]]] = {}
    for _, row in rows:
        if not isinstance(row, SegmentError):
            said = int(row["Utterance_ID"]), row.get("Utterance", "")
            spoken.setdefault(row["Dialogue_ID"], []).append(said)
    entries = ((where, row, acoustic, spoken, request) for where, row in rows)
    yield from read_each(_segment, entries)


def _checked(row: Mapping[str, Any], where: str) -> Mapping[str, Any] | SegmentError:
    for name in ("Dialogue_ID", "Utterance_ID"):
        if not str(row.get(name, "")).strip().isdecimal():
            return SegmentError(
                f"{where}: {name} is {describe(row.get(name))}; expected a whole number"
            )
    return row


def _segment(
    where: str,
    row: Mapping[str, Any] | SegmentError,
    acoustic: Mapping[str, Any],
    spoken: Mapping[str, Sequence[tuple[int, str]]],
    request: Request,
) -> Segment:
    if isinstance(row, SegmentError):
        raise row
    dialogue, utterance = row["Dialogue_ID"].strip(), row["Utterance_ID"].strip()
    vector = acoustic.get(f"{dialogue}_{utterance}")
    segment = segment_of(
        # Dialogues are numbered from 0 in each split.
        name=f"{request.split}_dia{dialogue}_utt{utterance}",
        words=split_text(row.get("Utterance", ""), where),
        label=None,  # emotion and sentiment are named
        where=where,
        visual=None,
        acoustic=None if vector is None else [vector],
    )
    start, end = (_seconds(row.get(name)) for name in ("StartTime", "EndTime"))
    timed = start is not None and end is not None and start < end  # some are not in order
    segment = replace(
        segment,
        video=f"{request.split}_dia{dialogue}",
        start=start if timed else None,
        end=end if timed else None,
        metadata={name.lower(): row[name] for name in _METADATA if name in row},
    )
    earlier = sorted(each for each in spoken[row["Dialogue_ID"]] if each[0] < int(utterance))
    before = [
        Turn(split_text(text, where))
        for _, text in earlier[max(0, len(earlier) - request.context) :]
    ]
    return with_context(segment, before, request.context)


def _acoustic(folder: Path, split: str) -> Mapping[str, Any]:
    """Return the acoustic vectors of a split by ``DIALOGUE_UTTERANCE``, empty without a file."""
    file = _acoustic_file(folder)
    if file is None:
        return {}
    content = load_plain(file)
    if not isinstance(content, (tuple, list)) or [type(each) for each in content] != [dict] * 3:
        raise DataError(
            f"{file}: expected three dicts, of training, validation and test, found "
            f"{describe(content)}"
        )
    found: Mapping[str, Any] = content[SPLITS.index(split)]
    return found


def _seconds(value: Any) -> float | None:
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        return None
    hours, minutes, seconds, thousandths = map(int, match.groups())
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000
