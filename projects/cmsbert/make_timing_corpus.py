"""Write the canonical CMU-MOSI with word-aligned timing of the voice, for a negative control.

    python projects/cmsbert/make_timing_corpus.py transcripts_labels.csv \
        CMU_MOSI_ModifiedTimestampedWords.csd /data/mosi_word_timing

The table is that of ``make_canonical_corpus.py``. The computational sequence holds the words of the
videos with their times; pauses are ``sp``. Words of transcripts and sequence are aligned video by
video, because the sequence's times do not fit the segments' exactly. Each word gets one acoustic
frame of five columns, which say how it was spoken and nothing of its sound:

- the logarithm of its duration
- what this is above the speaker's usual value for words with as many letters
- the logarithm of 1 + the pause before it, and of 1 + the pause after it, in seconds
- words per second, over the word and two on each side

A word that the sequence does not have gets the means of its video. Visual frames are missing. The
columns are our interpretation; they are no published features.
"""

import difflib
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from make_canonical_corpus import (
    CorpusError,
    arguments,
    read_segments,
    show_counts,
    write_folder,
)

from mmf_cmsbert.datasets.readers.csd_file import Sequence, open_sequence
from mmf_cmsbert.errors import UserError

COLUMNS = ("duration", "lengthening", "pause before", "pause after", "rate")
_PAUSE = "sp"
_AROUND = 2
# The shortest word of the published file has 0.03 s; some intervals have no length.
_SHORTEST = 0.01


def timing(words: list[str], intervals: np.ndarray) -> np.ndarray:
    """Return the timing of each spoken word, float32 ``(words, 5)``, in the order of ``COLUMNS``.

    Args:
        words: of one video in the order of time, without pauses.
        intervals: their start and end in seconds, ``(words, 2)``.
    """
    starts, ends = intervals.T
    duration = np.log(np.maximum(ends - starts, _SHORTEST))
    letters = np.log([max(1, len(plain(word))) for word in words])
    # The speaker's usual value: a line through all words of the video.
    line = np.polyfit(letters, duration, 1) if len(set(letters)) > 1 else [0, duration.mean()]
    gaps = np.log1p(np.maximum(starts[1:] - ends[:-1], 0))
    rate = []
    for i in range(len(words)):
        near = slice(max(0, i - _AROUND), i + _AROUND + 1)
        length = ends[near].max() - starts[near].min()
        rate.append(len(words[near]) / max(length, _SHORTEST))
    columns = (
        duration,
        duration - np.polyval(line, letters),
        np.concatenate([[0], gaps]),
        np.concatenate([gaps, [0]]),
        rate,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def plain(word: str) -> str:
    """Return the letters and digits of a word in lower case, for comparison."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


def spoken(sequence: Sequence, video: str) -> tuple[list[str], np.ndarray]:
    """Return a video's words without pauses, and their intervals ``(words, 2)``."""
    features, intervals = sequence.read_in_time(video)
    words = [str(row[0], "ascii", "replace") for row in features]
    chosen = [i for i, word in enumerate(words) if word != _PAUSE]
    return [words[i] for i in chosen], intervals[chosen]


def frames_of(
    segments: list[dict], words: list[str], intervals: np.ndarray
) -> tuple[list[np.ndarray], int]:
    """Return the frames of one video's segments, ``(words, 5)`` each, and how many words have own.

    Args:
        segments: of one video, in the order of time.
        words: those of the sequence.
        intervals: their times.
    """
    values = timing(words, intervals)
    asked = [plain(word) for segment in segments for word in segment["words"]]
    frames = np.repeat(values.mean(0, keepdims=True), len(asked), axis=0)
    matcher = difflib.SequenceMatcher(None, [plain(word) for word in words], asked, autojunk=False)
    found = 0
    for at, to, length in matcher.get_matching_blocks():
        frames[to : to + length] = values[at : at + length]
        found += length
    ends = np.cumsum([len(segment["words"]) for segment in segments])
    return np.split(frames, ends[:-1]), found


def read_timing(segments: list[dict], file: Path) -> tuple[dict[str, np.ndarray], float]:
    """Map each segment id to its frames; also return the share of words with times of their own.

    Raises:
        CorpusError: the sequence lacks a video, or has no words for it.
        UserError: the file is not a computational sequence.
    """
    videos = defaultdict(list)
    for segment in segments:
        videos[segment["video"]].append(segment)
    found, own = {}, 0
    with open_sequence(file) as sequence:
        for video, segments_of in videos.items():
            if video not in sequence.videos:
                raise CorpusError(f"{file}: video {video} is missing; the table has segments of it")
            words, intervals = spoken(sequence, video)
            if not words:
                raise CorpusError(f"{file}: video {video} has no words")
            frames, matched = frames_of(segments_of, words, intervals)
            own += matched
            found.update(zip((s["id"] for s in segments_of), frames, strict=True))
    return found, own / sum(len(segment["words"]) for segment in segments)


def main() -> None:
    given = arguments(__doc__, "words", "the words with their times, as .csd")
    try:
        # The table's rows of a video are in the order of its clips.
        segments = read_segments(given.table)
        frames, own = read_timing(segments, given.words)
        write_folder(segments, frames, given.folder)
    except (CorpusError, UserError, OSError, UnicodeDecodeError) as error:
        sys.exit(str(error))
    show_counts(segments, given.folder)
    print(f"{own:.1%} of the words have times of their own; the others have the video's means")


if __name__ == "__main__":
    main()
