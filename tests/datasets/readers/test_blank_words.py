"""Words without text are treated the same in every layout."""

import json
import pickle

import numpy as np
import pytest
from written_layouts import SPLITS, write_csd

from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.text import has_text
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import SegmentError

BLANK = [
    "",
    " ",
    "\t\n",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u200e",
    "\x00",
    "\x1b",
]
BLANK += ["\u200b \u200d", "\u3000", "\u034f", "\ufe0f", "\u3164", "\u115f", "\u2800", "\u0301"]
SPOKEN = ["a", "…", ".", "👩\u200d👧", "ｱ", "क", "\u200bword", "\ue000", "½", "$"]
VIDEO = canonical_videos("mosi", "train")[0]


@pytest.mark.parametrize("word", BLANK)
def test_blank(word):
    assert not has_text(word)


@pytest.mark.parametrize("word", SPOKEN)
def test_spoken(word):
    assert has_text(word)


def frames(words, width):
    return np.arange(len(words) * width, dtype=np.float32).reshape(-1, width) + 1


def misa(folder, words):
    file = folder / "train.pkl"
    parts = np.zeros(len(words)), frames(words, 2), frames(words, 3), words
    file.write_bytes(pickle.dumps([(parts, 1.0, f"{VIDEO}[0]")]))
    return file


def mag(folder, words):
    file = folder / "mag.pkl"
    parts = words, frames(words, 2), frames(words, 3)
    file.write_bytes(pickle.dumps({"train": [(parts, 1.0, f"{VIDEO}[0]")]}))
    return file


def mmsa(folder, words):
    file = folder / "mmsa.pkl"
    fields = {"words": [words], "vision": frames(words, 2)[None], "audio": frames(words, 3)[None]}
    fields |= {"id": [f"{VIDEO}$_$0"], "labels": [1.0]}
    file.write_bytes(pickle.dumps({"train": fields}))
    return file


def plain(folder, words):
    for name, width in (("visual", 2), ("acoustic", 3)):
        (folder / name).mkdir()
        np.save(folder / name / f"{VIDEO}[0].npy", frames(words, width))
    row = {"id": f"{VIDEO}[0]", "words": words, "label": 1.0}
    (folder / "segments.jsonl").write_text(json.dumps(row))
    return folder


def csd(folder, words):
    both = {"visual": frames(words, 2), "acoustic": frames(words, 3)}
    segment = Segment(f"{VIDEO}[0]", VIDEO, words, both, 1.0, 0, len(words))
    return write_csd(folder, dict.fromkeys(SPLITS[:1], [segment]))["train"]


@pytest.mark.parametrize("write", [misa, mag, mmsa, plain, csd])
def test_a_blank_word_goes_with_its_frame_and_a_segment_of_blank_words_is_refused(tmp_path, write):
    words = ["not", "\u200b", "great"]
    (segment,) = the_segments(read_files([write(tmp_path, words)], "train"))
    assert segment.words == ("not", "great")
    assert np.array_equal(segment.frames["visual"], frames(words, 2)[[0, 2]])
    assert np.array_equal(segment.frames["acoustic"], frames(words, 3)[[0, 2]])


@pytest.mark.parametrize("write", [misa, mag, mmsa, plain, csd])
def test_a_segment_of_blank_words_is_refused(tmp_path, write):
    words = ["\u00ad", " ", "\ufeff"]
    (error,) = read_files([write(tmp_path, words)], "train")
    assert isinstance(error, SegmentError)
    assert "no words" in str(error) and VIDEO in str(error)
