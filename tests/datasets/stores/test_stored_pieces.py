"""Word pieces are computed once for each store and tokenizer."""

import numpy as np
import pytest

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores import stored_pieces as module
from mmf_cmsbert.datasets.stores.store import StoredSegments, write_store
from mmf_cmsbert.datasets.stores.stored_pieces import stored_pieces
from mmf_cmsbert.errors import DataError


class Letters:
    """A fake processor whose word pieces are letters, at most four per segment."""

    fingerprint = "letters 4"

    def __init__(self):
        self.calls = 0

    def __call__(self, item):
        self.calls += 1
        letters = [(ord(letter), i) for i, word in enumerate(item["words"]) for letter in word]
        ids, index = np.array(letters[:4]).T
        return {"input_ids": ids, "word_index": index, "truncated": len(letters) > 4}


@pytest.fixture
def segments(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    words = [("so", "a"), ("good",), ("really", "good"), ("x",)]
    given = [Segment(f"v[{i}]", "v", each, {}, 0.0) for i, each in enumerate(words)]
    write_store(folder, given, sources=[], settings={})
    return StoredSegments(folder)


def test_they_are_what_the_processor_gives(segments, tmp_path):
    pieces = stored_pieces(segments, Letters(), tmp_path / "new", "")
    assert len(pieces) == 4
    assert pieces.truncated == 1
    assert [each["input_ids"].tolist() for each in pieces] == [
        [115, 111, 97],
        [103, 111, 111, 100],
        [114, 101, 97, 108],
        [120],
    ]
    assert pieces[0]["word_index"].tolist() == [0, 0, 1]
    assert pieces[3]["word_index"].dtype == np.int64


def test_they_are_made_once_for_the_same_words_and_tokenizer(segments, tmp_path):
    first, second, other = Letters(), Letters(), Letters()
    other.fingerprint = "letters 5"
    for processor in (first, second, other):
        stored_pieces(segments, processor, tmp_path, "")
    assert (first.calls, second.calls, other.calls) == (4, 0, 4)
    assert len(list(tmp_path.glob("pieces-*.arrow"))) == 2


@pytest.mark.parametrize("damage", [lambda c: c[:-30], lambda c: b"", lambda c: b"x" * len(c)])
def test_damaged_ones_are_made_again(segments, tmp_path, damage):
    stored_pieces(segments, Letters(), tmp_path, "")
    (path,) = tmp_path.glob("pieces-*.arrow")
    path.write_bytes(damage(path.read_bytes()))
    again = Letters()
    assert stored_pieces(segments, again, tmp_path, "")[3]["input_ids"].tolist() == [120]
    assert again.calls == 4


def test_types_that_arrow_does_not_know_are_made_again(segments, tmp_path):
    """Replace the width of numbers, 32 bits, by 4 at every position of the file."""
    stored_pieces(segments, Letters(), tmp_path, "")
    (path,) = tmp_path.glob("pieces-*.arrow")
    content = path.read_bytes()
    places = [i for i in range(len(content)) if content[i : i + 4] == b" \0\0\0"]
    assert places
    for place in places:
        path.write_bytes(content[:place] + b"\4" + content[place + 1 :])
        assert stored_pieces(segments, Letters(), tmp_path, "")[3]["input_ids"].tolist() == [120]


def test_a_changed_piece_is_noticed(segments, tmp_path):
    stored_pieces(segments, Letters(), tmp_path, "")
    (path,) = tmp_path.glob("pieces-*.arrow")
    content = path.read_bytes()
    was, now = (np.array(ids, np.int32).tobytes() for ids in ([115, 111, 97], [115, 111, 98]))
    assert content.count(was) == 1
    path.write_bytes(content.replace(was, now))
    again = Letters()
    assert stored_pieces(segments, again, tmp_path, "")[0]["input_ids"].tolist() == [115, 111, 97]
    assert again.calls == 4


def test_a_folder_that_cannot_be_written(segments, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="pieces-.*cannot be written"):
        stored_pieces(segments, Letters(), tmp_path / "file", "")


def test_an_interrupted_one_leaves_nothing(segments, tmp_path):
    class Interrupted(Letters):
        def __call__(self, item):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stored_pieces(segments, Interrupted(), tmp_path / "new", "")
    assert not (tmp_path / "new").exists()


def test_more_pieces_than_offsets_can_count_are_refused(segments, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MOST_PIECES", 6)
    with pytest.raises(DataError, match=r"more than 6 word pieces .*after 1 segments.*divide"):
        stored_pieces(segments, Letters(), tmp_path / "new", "")
    assert not list(tmp_path.glob("new/*"))
