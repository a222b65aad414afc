"""MUStARD as its authors publish it: one JSON object by id, and features beside it.

``sarcasm_data.json`` has for each id the ``utterance``, its ``speaker``, the ``context`` (a list of
utterances before it), the ``show``, and ``sarcasm``, true or false. Beside it can be
``audio_features.p``, a dict of acoustic features ``(width, frames)`` by id,
``features/utterances_final/resnet_pool5.hdf5``, visual frames ``(frames, width)`` by id, and
``split_indices.p``, five folds of positions ``(train, test)``.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers import csd_file, video_lists
from mmf_cmsbert.datasets.readers.context import Turn, with_context
from mmf_cmsbert.datasets.readers.fields import read_each, segment_of
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.target_values import named_values
from mmf_cmsbert.datasets.readers.text import describe, split_text
from mmf_cmsbert.datasets.readers.unpickler import load_plain
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import open_regular, read_json

NAME = "sarcasm_data.json"
ACOUSTIC, VISUAL = "audio_features.p", "features/utterances_final/resnet_pool5.hdf5"
FOLDS = "split_indices.p"
_START = re.compile(rb'\s*\{\s*"[^"]*"\s*:\s*\{[^{}]*"(?:utterance|sarcasm)"\s*:')
_LARGEST = 1 << 26
# The speaker-independent protocol tests on one show. Every fifth of the others validates.
_TEST_SHOW, _VALIDATION = "FRIENDS", 5


@register_layout("mustard")
class MUStARD(Layout):
    """Utterances with sarcasm as class 1. The context is the list under ``context``."""

    examples = (NAME,)
    rank = 8

    def recognise(self, path: Path) -> bool:
        if path.is_dir():
            return _file(path).is_file()
        if path.suffix.lower() != ".json":
            return False
        try:
            with open_regular(path) as file:
                return _START.match(file.read(1 << 12)) is not None
        except OSError:
            return False  # the message comes from the reader

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        return SPLITS

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        file = _file(path)
        beside = (ACOUSTIC, VISUAL, FOLDS, video_lists.NAME)
        return [file, *(each for name in beside if (each := file.parent / name).is_file())]

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        for path in files:
            yield from _segments(_file(path), request)


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    return next((p for p in (path / NAME, path / "data" / NAME) if p.is_file()), path / NAME)


def _segments(file: Path, request: Request) -> Iterator[Segment | SegmentError]:
    rows = _read(file)
    wanted = _ids(rows, file, request)
    request.on_count(len(wanted))
    acoustic = _acoustic(file.parent / ACOUSTIC)
    with ExitStack() as opened:
        visual: Mapping[str, np.ndarray] = {}
        if (hdf5 := file.parent / VISUAL).is_file():
            visual = opened.enter_context(csd_file.open_arrays(hdf5))
        read = partial(_segment, acoustic=acoustic, visual=visual, request=request)
        yield from read_each(read, ((name, rows[name], f"{file}: {name}") for name in wanted))


def _read(file: Path) -> Mapping[str, Any]:
    try:
        rows = read_json(file, _LARGEST)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(f"{file} is not JSON ({str(error)[:100]}); download it again") from error
    if not isinstance(rows, dict) or not rows:
        raise DataError(
            f"{file}: expected an object such as {{'1_60': {{'utterance': ..., 'sarcasm': true}}}},"
            f" found {describe(rows)}"
        )
    return rows


def _ids(rows: Mapping[str, Any], file: Path, request: Request) -> list[str]:
    """Return the ids of a split: of ``splits.json``, of a fold, or speaker-independent."""
    names = list(rows)
    if (own := video_lists.own_lists([file])) is not None:
        wanted = set(video_lists.read_video_lists(own).get(request.split, ()))
        found = [name for name in names if name in wanted]
    else:
        test, val = _fold(file, len(names), request.fold) if request.fold else _by_show(rows)
        members: dict[str, Collection[int]] = {"test": test, "val": val}
        chosen = members.get(request.split, set(range(len(names))).difference(test, val))
        found = [names[i] for i in sorted(chosen)]
    if not found:
        raise DataError(f"{file}: no utterances for the {request.split} split")
    return found


def _by_show(rows: Mapping[str, Any]) -> tuple[set[int], set[int]]:
    shows = [row.get("show") if isinstance(row, dict) else None for row in rows.values()]
    test = {i for i, show in enumerate(shows) if show == _TEST_SHOW}
    others = [i for i in range(len(shows)) if i not in test]
    return test, set(others[_VALIDATION - 1 :: _VALIDATION])


def _fold(file: Path, count: int, fold: int) -> tuple[set[int], set[int]]:
    """Return the positions of test and validation: those of a fold's test, and of the next's."""
    folds = file.parent / FOLDS
    if not folds.is_file():
        raise DataError(f"fold is {fold}, and {folds} does not exist; copy it beside {file.name}")
    content = load_plain(folds)
    sets = []
    for pair in content if isinstance(content, (list, tuple)) else ():
        test = np.asarray(pair[1]) if isinstance(pair, (list, tuple)) and len(pair) == 2 else None
        if test is None or test.ndim != 1 or test.dtype.kind not in "iu":
            break
        sets.append(set(test.tolist()))
    if len(sets) < 2 or sorted(i for each in sets for i in each) != list(range(count)):
        raise DataError(
            f"{folds}: expected folds (train, test) of positions, of which each of {count} is in "
            f"one test, found {describe(content)}"
        )
    if fold > len(sets):
        raise DataError(f"fold is {fold}; {folds} has {len(sets)}")
    return sets[fold - 1], sets[fold % len(sets)]


def _acoustic(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    content = load_plain(file)
    if not isinstance(content, dict):
        raise DataError(f"{file}: expected a dict of arrays by id, found {describe(content)}")
    return content


def _segment(
    name: str,
    row: Any,
    where: str,
    *,
    acoustic: Mapping[str, Any],
    visual: Mapping[str, np.ndarray],
    request: Request,
) -> Segment:
    if not isinstance(row, dict):
        raise SegmentError(f"{where}: expected an object with its utterance, found {describe(row)}")
    voice = acoustic.get(name)
    segment = segment_of(
        name=name,
        words=split_text(row.get("utterance"), f"{where}: utterance"),
        label=_label(row.get("sarcasm"), f"{where}: sarcasm"),
        where=where,
        visual=visual.get(name),
        # (width, frames) in the file
        acoustic=voice.T if isinstance(voice, np.ndarray) and voice.ndim == 2 else voice,
    )
    given = row.get("context") or []
    if not isinstance(given, list):
        raise SegmentError(f"{where}: expected a list as context, found {describe(given)}")
    metadata = {key: row[key] for key in ("speaker", "show") if isinstance(row.get(key), str)}
    before = [Turn(split_text(each, f"{where}: context")) for each in given]
    segment = replace(segment, metadata=metadata, targets=named_values(sarcasm=segment.label))
    return with_context(segment, before, request.context)


def _label(value: Any, where: str) -> int | None:
    if value is None:
        return None
    if value not in (0, 1):
        raise SegmentError(f"{where} is {describe(value)}; expected true or false")
    return int(value)
