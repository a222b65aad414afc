"""The script that writes the canonical corpus with word-aligned timing of the voice."""

import importlib.util
import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "mosi"
SCRIPTS = ROOT / "projects" / "cmsbert"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(SCRIPTS))  # as where a script is started, for the script it imports
    try:
        file = SCRIPTS / "make_timing_corpus.py"
        spec = importlib.util.spec_from_file_location("make_timing_corpus", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


def write_words(file, videos):
    with h5py.File(file, "w") as hdf5:
        for video, rows in videos.items():
            group = hdf5.create_group(f"words/data/{video}")
            group["features"] = np.array([[word.encode()] for word, *_ in rows], dtype="S12")
            group["intervals"] = np.array([times for _, *times in rows], dtype=np.float64)
        hdf5.create_group("words/metadata")
    return file


def test_a_frame_tells_how_its_word_was_spoken(script):
    words = ["aa", "bb", "cccc", "dd"]
    intervals = np.array([[0.0, 0.2], [0.2, 0.6], [1.6, 2.4], [2.4, 2.6]])
    frames = script.timing(words, intervals)
    assert frames.shape == (4, len(script.COLUMNS)) and frames.dtype == np.float32
    assert np.allclose(frames[:, 0], np.log([0.2, 0.4, 0.8, 0.2]))
    # Three words of two letters have the mean log(0.2 * 0.4 * 0.2) / 3; one of four fits itself.
    usual = np.log([0.2, 0.4, 0.2]).mean()
    lengthened = np.log([0.2, 0.4, 0.2]) - usual
    assert np.allclose(frames[[0, 1, 3], 1], lengthened, atol=1e-6) and abs(frames[2, 1]) < 1e-6
    assert np.allclose(frames[:, 2], [0, 0, np.log(2), 0])
    assert np.allclose(frames[:, 3], [0, np.log(2), 0, 0])
    # The first word has two neighbours after it and none before.
    assert np.allclose(frames[:, 4], [3 / 2.4, 4 / 2.6, 4 / 2.6, 3 / 2.4])


def test_words_are_aligned_by_video_and_others_get_its_means(script, tmp_path):
    file = write_words(
        tmp_path / "words.csd",
        {"v": [("sp", 0, 1), ("it", 1, 1.2), ("was", 1.2, 1.5), ("sp", 1.5, 2), ("good", 2, 2.6)]},
    )
    segments = [
        {"id": "v_1", "video": "v", "words": ["it", "truly"]},
        {"id": "v_2", "video": "v", "words": ["was", "good"]},
    ]
    frames, own = script.read_timing(segments, file)
    assert own == 3 / 4 and {name: each.shape for name, each in frames.items()} == {
        "v_1": (2, 5),
        "v_2": (2, 5),
    }
    spoken = np.array([[1, 1.2], [1.2, 1.5], [2, 2.6]])
    expected = script.timing(["it", "was", "good"], spoken)
    assert np.array_equal(frames["v_1"][0], expected[0])
    assert np.array_equal(frames["v_2"], expected[1:])
    assert np.allclose(frames["v_1"][1], expected.mean(0))


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        ({"w": [("it", 0, 1)]}, "words.csd: video v is missing"),
        ({"v": [("sp", 0, 1)]}, "words.csd: video v has no words"),
    ],
)
def test_a_video_without_words_is_named(script, tmp_path, videos, message):
    file = write_words(tmp_path / "words.csd", videos)
    with pytest.raises(script.CorpusError, match=message):
        script.read_timing([{"id": "v_1", "video": "v", "words": ["it"]}], file)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real CMU-MOSI words")
def test_the_real_corpus_has_times_for_nearly_all_words(script, tmp_path, monkeypatch, capsys):
    files = SHARED / "transcripts_labels.csv", SHARED / "CMU_MOSI_ModifiedTimestampedWords.csd"
    arguments = ["make_timing_corpus.py", *map(str, files), str(tmp_path / "corpus")]
    monkeypatch.setattr("sys.argv", arguments)
    script.main()
    shown = capsys.readouterr().out
    assert "1284 train, 229 val, 686 test" in shown and "99.7% of the words" in shown
    lines = (tmp_path / "corpus" / "segments.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    frames = np.load(tmp_path / "corpus" / "acoustic" / f"{first['id']}.npy")
    assert frames.shape == (len(first["words"]), 5) and np.isfinite(frames).all()
