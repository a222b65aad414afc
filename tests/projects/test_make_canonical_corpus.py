"""The script that converts the canonical text-and-acoustic corpus to a folder of segments."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers.reading import read_files

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "mosi"
_SPEC = importlib.util.spec_from_file_location(
    "make_canonical_corpus", ROOT / "projects" / "cmsbert" / "make_canonical_corpus.py"
)
script = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(script)

HEADER = "id,video_id,clip,split,label,start_s,end_s,transcript"
ROWS = (
    "a_b_1,a_b,1,train,2.4,0.5,2.0,ANYHOW IT WAS GOOD",
    "a_b_2,a_b,2,dev,-0.8,2.0,3.5,THAY DIDNT",
    "-c_3,-c,3,test,0,4.0,4.0,WELL",
)
IDS = ("-c_3", "a_b_1", "a_b_2")
ACOUSTIC = np.arange(12, dtype=np.float64).reshape(3, 4)


def sources(folder, rows=ROWS, ids=IDS, header=HEADER):
    (folder / "table.csv").write_text("\n".join((header, *rows)), encoding="utf-8")
    np.savez(folder / "vectors.npz", ids=np.array(ids), acoustic=ACOUSTIC[: len(ids)])
    return folder / "table.csv", folder / "vectors.npz"


def make(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["make_canonical_corpus.py", *map(str, arguments)])
    script.main()


def rows_of(folder):
    return [json.loads(line) for line in (folder / "segments.jsonl").read_text().splitlines()]


def test_writes_a_folder_of_lower_case_words_and_sequences_of_one_frame(tmp_path, monkeypatch):
    make(monkeypatch, *sources(tmp_path), tmp_path / "new" / "corpus")
    corpus = tmp_path / "new" / "corpus"
    assert rows_of(corpus) == [
        {"id": "a_b_1", "video": "a_b", "split": "train", "label": 2.4,
         "words": ["anyhow", "it", "was", "good"], "start": 0.5, "end": 2.0},
        {"id": "a_b_2", "video": "a_b", "split": "val", "label": -0.8,
         "words": ["thay", "didnt"], "start": 2.0, "end": 3.5},
        {"id": "-c_3", "video": "-c", "split": "test", "label": 0.0, "words": ["well"]},
    ]  # fmt: skip
    for row, name in enumerate(IDS):
        frames = np.load(corpus / "acoustic" / f"{name}.npy")
        assert frames.dtype == np.float32 and frames.shape == (1, 4)
        assert np.array_equal(frames[0], ACOUSTIC[row])
    assert {f.name for f in corpus.iterdir()} == {"segments.jsonl", "acoustic"}


def test_the_reader_of_plain_folders_reads_it(tmp_path, monkeypatch):
    make(monkeypatch, *sources(tmp_path), tmp_path / "corpus")
    (segment,) = read_files([tmp_path / "corpus"], "train", "folder")
    assert (segment.id, segment.video, segment.label) == ("a_b_1", "a_b", 2.4)
    assert segment.frames.get("visual") is None and segment.frames["acoustic"].tolist() == [
        [4.0, 5.0, 6.0, 7.0]
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": IDS[:2]}, "1 segments have no acoustic vector; the first is a_b_2"),
        ({"rows": (*ROWS, ROWS[0])}, r"line 5 \(a_b_1\): duplicate id"),
        ({"rows": ("x_1,x,1,training,1,0,1,WORD",)}, r"line 2 \(x_1\).*KeyError\('training'\)"),
        ({"rows": ("x_1,x,1,train,much,0,1,WORD",)}, "could not convert string to float: 'much'"),
        ({"rows": ("x_1,x,1,train,1,0,1, ",)}, "no words"),
        ({"rows": ("x_1,x,1,train",)}, r"line 2 \(x_1\): cannot be used"),
        ({"rows": ("../x,x,1,train,1,0,1,WORD",)}, "cannot name a file"),
        ({"header": HEADER.replace("label", "score")}, "column 'label' is missing"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_written(
    tmp_path, monkeypatch, changes, message
):
    given = sources(tmp_path, **changes)
    before = set(tmp_path.iterdir())
    with pytest.raises(SystemExit, match=message):
        make(monkeypatch, *given, tmp_path / "corpus")
    assert set(tmp_path.iterdir()) == before


def test_objects_in_the_archive_are_not_executed(tmp_path, monkeypatch):
    table, vectors = sources(tmp_path)
    np.savez(vectors, ids=np.array([print], dtype=object), acoustic=ACOUSTIC)
    with pytest.raises(SystemExit, match="expected an archive of 'ids'.*allow_pickle=False"):
        make(monkeypatch, table, vectors, tmp_path / "corpus")


def test_a_folder_that_is_there_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "corpus").mkdir()
    with pytest.raises(SystemExit, match="already exists"):
        make(monkeypatch, *sources(tmp_path), tmp_path / "corpus")
    assert list((tmp_path / "corpus").iterdir()) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real CMU-MOSI transcripts")
def test_the_real_corpus_has_the_canonical_splits(tmp_path, monkeypatch):
    corpus = tmp_path / "corpus"
    files = SHARED / "transcripts_labels.csv", SHARED / "acoustic_utterance.npz"
    make(monkeypatch, *files, corpus)
    splits = [row["split"] for row in rows_of(corpus)]
    assert [splits.count(name) for name in ("train", "val", "test")] == [1284, 229, 686]
    assert np.load(corpus / "acoustic" / "03bSnISJMiM_1.npy").shape == (1, 73)
