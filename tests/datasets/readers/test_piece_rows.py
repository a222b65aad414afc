"""MMSA files whose rows are word pieces, as MMSA's extractor writes them."""

import pickle

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers.piece_rows import are_pieces, piece_counts
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.segment import unaligned
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "i", "like", "##d", "##s", "it", "film", "!", "the"]
CUT = {"liked": ["like", "##d"], "films": ["film", "##s"], "it!": ["it", "!"]}
TEXTS = ["i liked it", "i liked the films", "it!", "the film"]


def corpus(texts=TEXTS, rows=8, special=0.0, seed=0):
    """Return a split as in MSA_FET.run_dataset, with the frame of a word for each of its pieces."""
    rng = np.random.default_rng(seed)
    text_bert = np.zeros((len(texts), rows, 3))
    vision, audio = np.zeros((len(texts), rows, 5)), np.zeros((len(texts), rows, 3))
    words = []
    for i, text in enumerate(texts):
        frames = [(rng.normal(size=5), rng.normal(size=3)) for _ in text.split()]
        pieces = [("[CLS]", None)]
        pieces += [(p, w) for w, word in enumerate(text.split()) for p in CUT.get(word, [word])]
        pieces = [*pieces, ("[SEP]", None)][:rows]
        for row, (piece, word) in enumerate(pieces):
            text_bert[i, row] = PIECES.index(piece), 1, 0
            vision[i, row] = special if word is None else frames[word][0]
            audio[i, row] = special if word is None else frames[word][1]
        words.append(np.stack([f[0] for f in frames]).astype("f4"))
    fields = {
        "raw_text": np.array(texts),
        "id": np.array([f"v$_${i}" for i in range(len(texts))]),
        "regression_labels": np.ones(len(texts)),
        "vision": vision,
        "audio": audio,
        "text": np.zeros((len(texts), rows, 7)),
        # The extractor's transpose, whose memory order a selection keeps (order K).
        "text_bert": text_bert.transpose(0, 2, 1)[list(range(len(texts)))],
    }
    return fields, words


def read(tmp_path, fields, vocabulary=None):
    path = tmp_path / "feature.pkl"
    path.write_bytes(pickle.dumps({"train": fields, "config": {}}, pickle.HIGHEST_PROTOCOL))
    return list(the_segments(read_files([path], "train", vocabulary=vocabulary)))


@pytest.mark.parametrize("vocabulary", [None, PIECES])
@pytest.mark.parametrize("special", [0.0, 3.0])
def test_each_word_gets_the_frame_of_its_pieces(tmp_path, vocabulary, special):
    fields, frames = corpus(special=special)
    for segment, wanted in zip(read(tmp_path, fields, vocabulary), frames, strict=True):
        assert not unaligned(segment)
        assert np.array_equal(segment.frames["visual"], wanted)


def test_words_with_the_same_frame_need_the_vocabulary(tmp_path):
    fields, frames = corpus(["i liked it", "the films"])
    for name in ("vision", "audio"):
        fields[name][0, 2:5] = fields[name][0, 1]
    one, two = read(tmp_path, fields)
    assert len(one.frames["visual"]) == 4 and unaligned(
        one
    )  # between [CLS] and [SEP], all in order
    assert np.array_equal(two.frames["visual"], frames[1])
    one, two = read(tmp_path, fields, PIECES)
    assert np.array_equal(one.frames["visual"], np.repeat(frames[0][:1], 3, 0))


@pytest.mark.parametrize("vocabulary", [None, PIECES])
def test_blank_words_have_no_pieces_and_no_frame(tmp_path, vocabulary):
    fields, frames = corpus()
    fields["raw_text"] = [text.replace(" ", " \u200b ") for text in TEXTS]
    for segment, wanted in zip(read(tmp_path, fields, vocabulary), frames, strict=True):
        assert np.array_equal(segment.frames["visual"], wanted)


def test_a_text_longer_than_the_rows_has_zeros_at_its_end(tmp_path):
    fields, frames = corpus(["the film", "i liked the films"], rows=5)
    long = read(tmp_path, fields, PIECES)[1]
    assert np.array_equal(long.frames["visual"], [*frames[1][:3], np.zeros(5)])


def test_without_a_text_the_words_are_those_of_the_vocabulary(tmp_path):
    fields, frames = corpus()
    del fields["raw_text"]
    found = read(tmp_path, fields, PIECES)
    assert found[0].words == ("i", "liked", "it") and found[2].words == ("it", "!")
    assert np.array_equal(found[0].frames["visual"], frames[0])
    assert np.array_equal(found[2].frames["visual"], np.repeat(frames[2], 2, 0))


def test_a_vocabulary_that_gives_other_ids_is_refused(tmp_path):
    fields, _ = corpus()
    with pytest.raises(DataError, match="entry 0: the ids of 'text_bert' differ from"):
        read(tmp_path, fields, [*PIECES[:4], *reversed(PIECES[4:])])


def test_stated_lengths_that_are_those_of_the_pieces(tmp_path):
    fields, frames = corpus()
    counts = piece_counts(fields["text_bert"])
    found = read(tmp_path, fields | {"vision_lengths": counts, "audio_lengths": counts})
    assert np.array_equal(found[1].frames["visual"], frames[1])


def test_rows_of_words_and_frames_are_no_pieces():
    assert are_pieces([6, 7, 0], [7, 8, 9]) and are_pieces([7, 8], [7, 8])
    assert not are_pieces([5, 6], [7, 8])  # words
    assert not are_pieces([6, 30], [7, 8])  # frames
    assert not are_pieces([0, 0], [7, 8])  # nothing


@pytest.mark.parametrize("mask", [[0, 1, 1], [1, 0, 1], [1, 0, 0], [0, 0, 0], [2, 1, 0]])
def test_masks_that_are_none_count_nothing(mask):
    assert piece_counts(np.array([[[5, 5, 5], mask, [0, 0, 0]]])) is None
