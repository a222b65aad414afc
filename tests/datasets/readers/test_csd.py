"""CMU-MultimodalSDK's computational sequences."""

import csv
import json
import os

import h5py
import numpy as np
import pytest
from damaged_files import (
    VIDEO,
    array_for_group,
    edit,
    external_data,
    external_link,
    features,
    group_for_array,
    huge,
    intervals,
    large_chunks,
    packed,
    references,
    replaced,
    soft_link,
    virtual,
)
from written_layouts import make_segments, write_csd

from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.readers.csd_file import open_sequence
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.word_alignment import align
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, SegmentError

WORDS, LABELS = "CMU_MOSI_words.csd", "CMU_MOSI_Opinion_Segment_Labels.csd"
VISUAL, ACOUSTIC = "CMU_MOSI_FACET_4.1.csd", "CMU_MOSI_COVAREP.csd"


@pytest.fixture
def corpus():
    rng = np.random.default_rng(0)
    return {split: make_segments(rng, split, count=5) for split in ("train", "val", "test")}


@pytest.fixture
def folder(tmp_path, corpus):
    write_csd(tmp_path, corpus)
    return tmp_path


def read(*paths, split="train", layout="auto", alignment="word"):
    return list(the_segments(read_files(list(paths), split, layout, "mosi", alignment)))


def refusal(*paths, **options):
    with pytest.raises(DataError) as error:
        read(*paths, **options)
    return str(error.value)


@pytest.mark.parametrize("layout", ["auto", "csd"])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_segments_of_a_folder_come_word_aligned(folder, corpus, layout, split):
    for one, other in zip(read(folder, split=split, layout=layout), corpus[split], strict=True):
        for field in ("id", "video", "words", "start", "end", "label"):
            assert getattr(one, field) == getattr(other, field)
        assert np.array_equal(one.frames["visual"], other.frames["visual"])
        assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])
        assert one.frames["visual"].dtype == np.float32


def test_unaligned_a_segment_has_all_frames_of_its_time(tmp_path):
    corpus = {"train": make_segments(np.random.default_rng(0), "train", aligned=False)}
    write_csd(tmp_path, corpus, aligned=False)
    for one, other in zip(read(tmp_path, alignment="none"), corpus["train"], strict=True):
        assert one.words == other.words
        assert np.array_equal(one.frames["visual"], other.frames["visual"])
        assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])


def test_files_named_one_by_one_and_a_modality_left_out(folder):
    found = read(folder / LABELS, folder / WORDS, folder / ACOUSTIC)
    assert all(
        s.frames.get("visual") is None and s.frames.get("acoustic") is not None for s in found
    )


def align_by_loops(features, seen_at, spoken_at):
    aligned = []
    for start, end in spoken_at:
        rows = [f for f, (s, e) in zip(features, seen_at, strict=True) if s < end and e > start]
        aligned.append(np.mean(rows, axis=0) if rows else np.zeros(features.shape[1]))
    return np.array(aligned)


def test_a_words_frame_is_the_mean_of_the_frames_that_overlap_it():
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, 10, 60))
    seen_at = np.stack((starts, starts + rng.uniform(0, 0.5, 60)), 1)  # some within others
    spoken = np.sort(rng.uniform(-1, 12, 20))
    spoken_at = np.stack((spoken, spoken + rng.uniform(0, 0.4, 20)), 1)
    features = rng.normal(size=(60, 3))
    aligned = align(features, seen_at, spoken_at)
    assert np.allclose(aligned, align_by_loops(features, seen_at, spoken_at), atol=1e-6)
    assert not aligned[spoken > 10.5].any()


def test_segments_are_numbered_as_their_labels_are_stored(folder):
    def swap(data, _):
        for name in ("features", "intervals"):
            data[VIDEO][name][:2] = data[VIDEO][name][:2][::-1]

    first, second, *_ = read(folder)
    edit(folder / LABELS, swap)
    one, other, *_ = read(folder)
    assert (one.id, other.id) == (first.id, second.id) == (f"{VIDEO}[0]", f"{VIDEO}[1]")
    assert (one.words, one.label, one.start) == (second.words, second.label, second.start)
    assert np.array_equal(other.frames["visual"], first.frames["visual"])


def test_pauses_and_empty_words_are_no_words(folder, corpus):
    edit(folder / WORDS, lambda data, _: data[VIDEO]["features"].__setitem__(0, b" "))
    found, before = read(folder), corpus["train"]
    count = sum(len(s.words) for s in before)
    assert sum(len(s.words) for s in found) == count - 1
    assert all("sp" not in s.words for s in found)


def test_the_sentiment_of_mosei_stands_before_its_emotions(folder):
    def widen(data, _):
        features = data[VIDEO]["features"][()]
        replaced(data[VIDEO], "features", np.hstack((features, np.full((len(features), 6), 9.0))))

    before = [s.label for s in read(folder)]
    edit(folder / LABELS, widen)
    assert [s.label for s in read(folder)] == before


def test_a_video_without_a_modality_lacks_it(folder):
    edit(folder / VISUAL, lambda data, _: data.__delitem__(VIDEO))
    assert [s.frames.get("visual") is None for s in read(folder)] == [True] * 3 + [False] * 2


@pytest.mark.parametrize("alignment", ["word", "none"])
def test_infinities_stay_to_be_found(folder, alignment):
    edit(folder / ACOUSTIC, lambda data, _: data[VIDEO]["features"].__setitem__((1, 0), -np.inf))
    edit(folder / ACOUSTIC, lambda data, _: data[VIDEO]["features"].__setitem__((0, 0), np.inf))
    finite = [np.isfinite(s.frames["acoustic"]).all() for s in read(folder, alignment=alignment)]
    assert not all(finite)
    assert any(finite)


def test_a_segment_that_cannot_be_used_costs_no_other(folder):
    edit(folder / WORDS, lambda data, _: data.pop(VIDEO))
    error, *segments = read_files([folder], "train")
    assert isinstance(error, SegmentError)  # one for the video
    assert [s.video for s in segments] == [canonical_videos("mosi", "train")[1]] * 2


def test_other_sequences_of_a_folder_are_left_out_but_not_when_named(folder):
    with h5py.File(folder / "CMU_MOSI_TimestampedWordVectors.csd", "w") as file:
        file.create_group("glove_vectors/data")
    assert len(read(folder)) == 5
    assert "unknown computational sequence 'glove_vectors'" in refusal(
        folder / "CMU_MOSI_TimestampedWordVectors.csd", folder / WORDS, folder / LABELS
    )


def test_two_sequences_of_one_modality(folder):
    with h5py.File(folder / "OpenFace_2.csd", "w") as file:
        file.create_group("OpenFace_2/data")
    assert "both hold visual; name the files" in refusal(folder)


def test_sequences_that_are_missing_are_named(folder):
    assert "no computational sequence of words, only" in refusal(folder / LABELS)
    assert "no computational sequence of labels" in refusal(folder / WORDS)


def test_videos_of_another_corpus(folder):
    with pytest.raises(DataError, match="none of the videos of the canonical train split of mosei"):
        list(read_files([folder], "train", "csd", "mosei"))


def test_a_video_whose_name_is_no_text_is_none_of_a_corpus(folder):
    edit(folder / LABELS, lambda data, _: data.create_group(b"\xff\xfe"))
    assert len(read(folder)) == 5
    with open_sequence(folder / LABELS) as labels:
        assert len(labels.videos) == 6


@pytest.mark.parametrize("name", [VISUAL, WORDS, LABELS])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (soft_link, "is a link, and links are not followed"),
        (external_link, "'features' is a link, and"),
        (external_data, "the content is in other files"),
        (virtual, "the content is in other files"),
        (huge, "bytes announced"),
        (large_chunks, "bytes announced"),
        (packed, "bytes announced"),
        (references, "type object"),
        (group_for_array, "expected 'features' as a dataset, found a group"),
        (array_for_group, f"expected '{VIDEO}' as a group, found a dataset"),
        (features(np.zeros(3)), "shape (3,)"),
        (features(np.zeros((1, 1), "c16")), "type complex128"),
        (features(h5py.Empty("f8")), "shape None"),
        (features([["text"]], dtype=h5py.string_dtype()), "text of variable length is not read"),
        (features(np.zeros((99, 1))), "an interval (start, end) for each of 99 features"),
        (intervals(np.zeros((2, 2))), "found intervals of shape (2, 2)"),
        (intervals([["a", "b"]] * 2), "text of variable length is not read"),
        (lambda group, _: group[VIDEO].pop("intervals"), "expected 'intervals', found feat"),
        (lambda group, _: group[VIDEO]["intervals"].write_direct(
            np.full(group[VIDEO]["intervals"].shape, np.nan)
        ), "interval 0 is [nan, nan]"),
        (lambda group, _: group[VIDEO]["intervals"].write_direct(
            np.tile([2.0, 1.0], (len(group[VIDEO]["intervals"]), 1))
        ), "interval 0 is [2.0, 1.0]"),
    ],
)  # fmt: skip
def test_what_is_hostile_or_wrong_is_refused_with_its_place(folder, name, change, message):
    edit(folder / name, change)
    found = refusal(folder)
    assert message in found
    assert str(folder / name) in found


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (WORDS, lambda data, _: data.pop(VIDEO), f"no words for video {VIDEO}"),
        (WORDS, lambda data, _: data[VIDEO]["features"].__setitem__(slice(None), b"sp"),
         f"no words in segment {VIDEO}[0] (0.00 to"),
        (WORDS, lambda data, _: data[VIDEO]["features"].__setitem__(0, b"caf\xe9"), "not UTF-8"),
        (WORDS, lambda data, _: replaced(
            data[VIDEO], "features", np.zeros((len(data[VIDEO]["features"]), 1))
        ), "expected one word per row"),
        (VISUAL, lambda data, _: replaced(
            data[VIDEO], "features", np.full((len(data[VIDEO]["features"]), 1), b"a")
        ), "expected the visual frames as an array of numbers"),
        (LABELS, lambda data, _: replaced(
            data[VIDEO], "features", np.zeros((len(data[VIDEO]["features"]), 2))
        ), "expected a label of one number"),
        (LABELS, lambda _, file: file.create_group("more"), "one computational sequence"),
    ],
)  # fmt: skip
def test_content_that_cannot_be_segments(folder, name, change, message):
    edit(folder / name, change)
    found = refusal(folder)
    assert message in found
    assert str(folder / name) in found


@pytest.mark.parametrize("layout", ["auto", "csd"])
def test_files_that_are_no_hdf5_or_not_all_of_it(folder, layout):
    content = (folder / LABELS).read_bytes()
    for broken in (content[: len(content) // 2], b"", os.urandom(2000), b"\x89HDF\r\n\x1a\n"):
        (folder / LABELS).write_bytes(broken)
        message = refusal(folder / LABELS, folder / WORDS, layout=layout)
        assert f"{folder / LABELS}: not a complete HDF5 file" in message


@pytest.mark.parametrize(
    ("corpus", "counts"), [("mosi", (52, 10, 31)), ("mosei", (2249, 300, 678))]
)
def test_canonical_splits_are_those_that_are_published(corpus, counts):
    splits = [canonical_videos(corpus, split) for split in ("train", "val", "test")]
    assert tuple(map(len, splits)) == counts
    assert len(set().union(*splits)) == sum(counts)


def test_canonical_splits_equal_the_lists_they_were_taken_from(shared):
    for corpus in ("mosi", "mosei"):
        listed = json.loads((shared / "folds" / f"{corpus}.json").read_text())
        for split, key in (("train", "train"), ("val", "valid"), ("test", "test")):
            assert list(canonical_videos(corpus, split)) == listed[key]


def test_the_published_labels_of_mosi_equal_its_transcripts(shared):
    with open_sequence(shared / "mosi" / "CMU_MOSI_Opinion_Labels.csd") as sequence:
        labels = {video: sequence.read(video) for video in sequence.videos}
    with open(shared / "mosi" / "transcripts_labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(labels) == 93
    assert sum(len(features) for features, _ in labels.values()) == len(rows) == 2199
    for row in rows:
        found, times = (each[int(row["clip"]) - 1] for each in labels[row["video_id"]])
        assert found[0] == pytest.approx(float(row["label"]), abs=1e-5)
        seconds = (float(row["start_s"]), float(row["end_s"]))
        assert times == pytest.approx(seconds, abs=1e-4)
        split = {"valid": "val", "dev": "val"}.get(row["split"], row["split"])
        assert row["video_id"] in canonical_videos("mosi", split)
