"""Damaged and hostile files of every layout, converted as in a run.

Each causes one clear error that names the file; nothing is executed, little memory is allocated,
and no store is left behind.
"""

import gzip
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import h5py
import numpy as np
import pytest
import written_layouts
from damaged_files import (
    FRAMES,
    HUGE,
    OBJECTS,
    VIDEO,
    Runs,
    array_for_group,
    bad_state,
    edit,
    external_data,
    external_link,
    features,
    group_for_array,
    huge,
    large_chunks,
    npy,
    npz,
    packed,
    references,
    replaced,
    soft_link,
    virtual,
)

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.errors import UserError

LITTLE = 64 << 20
TOUCH = "open('canary', 'w')"
LARGE = np.ones((2, 50_000))
SEGMENTS = written_layouts.make_segments(np.random.default_rng(0), "train", widths=(3, 3))


def entry(words=("a", "b"), visual=FRAMES, acoustic=FRAMES, label=0.5, name="v[0]"):
    return (np.zeros(2), visual, acoustic, words), label, name


def mag(**changes):
    (_, *parts, words), label, name = entry(**changes)
    return {"train": [((words, *parts), label, name)]}


def mmsa(**changes):
    return {"train": written_layouts.mmsa_split(SEGMENTS, lengths=True) | changes}


def itself():
    value = []
    value.append(value)
    return value


def slow_key():
    """Return a dict with a key whose hash takes 2 ** 64 steps."""
    return b"\x80\x02}" + b")" + b"2\x86" * 64 + b"Ns."


def state_of_an_array(shape, code, content):
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR(K\x01"
        + pickle.dumps(shape, 0)[:-1]
        + b"cnumpy\ndtype\n(X\x02\x00\x00\x00%b\x89\x88tR\x89C%c%btb."
        % (code, len(content), content)
    )


def same_content_in_arrays():
    """Return 3,000 arrays of objects that share one list of 100,000 entries."""
    start, end = state_of_an_array((10**5,), b"O8", b"").split(b"C\x00")
    once = b"\x80\x03](" + b"N" * 10**5 + b"eq\x00"
    return once + b"0](" + (start + b"h\x00" + end) * 3000 + b"e."


PROGRAMS = {
    "a call of os.system, protocol 0": pickle.dumps(Runs(os.system, "touch canary"), 0),
    "a call of eval, protocol 4": pickle.dumps([entry(), Runs(eval, TOUCH)], 4),
    "a call of exec in an array of objects": pickle.dumps(np.array([Runs(exec, TOUCH)]), 5),
    "a call of open": pickle.dumps(Runs(open, "canary", "w")),
    "a call of a method by getattr": b"cbuiltins\ngetattr\n(cos\npath\nVexists\ntR.",
    "a call of numpy.load": pickle.dumps(Runs(np.load, "canary.npy")),
    "a call of the class ndarray": b"\x80\x02cnumpy\nndarray\nK\x01\x85R.",
    "a module to import": b"cantigravity\ngeohash\n.",
    "an instance, INST": b"(S'touch canary'\nios\nsystem\n.",
    "an instance, OBJ": b"(cnumpy\nndarray\nK\x01o.",
    "an instance, NEWOBJ": b"\x80\x02cnumpy\nndarray\nK\x01\x85\x81.",
    "an instance, NEWOBJ_EX": b"\x80\x04cnumpy\nndarray\n)}\x92.",
    "the state of a function": b"cnumpy.core.multiarray\n_reconstruct\n}b.",
    "a persistent id": b"Pelsewhere\n.",
    "a persistent id, binary": b"\x80\x02K\x01Q.",
    "a registered extension": b"\x80\x02\x82\xf0.",
    "a buffer out of band": b"\x80\x05\x97.",
    "a key that takes for ever to hash": slow_key(),
    "bytes that are not there": b"\x80\x05\x8e" + struct.pack("<Q", 2**40) + b"x.",
    "a text that is not there": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"x.",
    "a frame that is not there": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
    "a huge number": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
    "an array larger than its content": state_of_an_array((10**12,), b"f4", b"AAAA"),
    "an array of addresses": state_of_an_array((1,), b"O8", b"A" * 8),
    "an array of characters that do not exist": state_of_an_array((1,), b"U1", b"\xff" * 4),
    "an array of a negative size": state_of_an_array((-1, -1), b"f4", b"AAAA"),
    "a type with fields": bad_state((3, "<", None, ("a",), {"a": ("f4", 1000)}, 4, 1, 0)),
    "cut in the middle": pickle.dumps([entry()] * 9)[:-100],
    "cut at its last byte": pickle.dumps([entry()])[:-1],
    "nested beyond measure": b"(" * 50_000,
    "an array of the same text over and over": same_content_in_arrays(),
    "no bytes at all": b"",
    "bytes by chance": bytes(np.random.default_rng(3).integers(0, 256, 5000, np.uint8)),
    "a web page": b"<!DOCTYPE html><html>Quota exceeded</html>",
    "a git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "packed with gzip": gzip.compress(pickle.dumps([entry()])),
    "packed with zip": npz(FRAMES),
    "an array": npy(FRAMES),
}

CONTENTS = {
    "no layout": {"a": 1},
    "numbers": np.zeros((3, 4)),
    "no segments": [],
    "lists that hold themselves": [entry(label=itself())],
    "an entry of another shape": [entry(), 3],
    "a label that is text": [entry(label="good")],
    "a label that is no number": [entry(label=float("nan"))],
    "a label out of range": [entry(label=3.5)],
    "a label beyond all floats": [entry(label=10**400)],
    "words that are numbers": [entry(words=[1, 2])],
    "words that are no UTF-8": [entry(words=[b"caf\xe9", "x"])],
    "words that are half a character": [entry(words=["\ud800", "x"])],
    "one long word over and over": [entry(words=["a" * 100_000] * 200_000)],
    "one long text over and over": mmsa(
        raw_text=["a" * 100_000] * 9000, id=[f"v$_${i}" for i in range(9000)]
    ),
    "the same segment over and over": [entry()] * 200_000,
    "an id beyond all files' names": [entry(name="v" * 2000)],
    "no words": [entry(words=[], visual=None, acoustic=None)],
    "an id that is none": [entry(name=None)],
    "an id twice": [entry(), entry()],
    "frames of objects": [entry(visual=FRAMES.astype(str).astype(object))],
    "frames that are text": [entry(visual=np.array([["a", "b", "c"]] * 2))],
    "frames in lists of two widths": [entry(visual=[[0.0] * 3, [0.0] * 2])],
    "frames of three dimensions": [entry(visual=np.zeros((2, 3, 1)))],
    "fewer frames than words": [entry(visual=FRAMES[:1])],
    "one segment wider than the others": [entry(), entry(name="w", visual=np.ones((2, 4)))],
    "frames that are not finite": [entry(acoustic=FRAMES * -np.inf)],
    "frames beyond float32": [entry(acoustic=FRAMES * 1e300)],
    "the same frames in every segment": [entry(visual=LARGE, name=f"v[{i}]") for i in range(99)],
    "MAG without the split": {"dev": []},
    "MAG with an entry of two parts": {"train": [entry()[:2]]},
    "MAG with a label out of range": mag(label=-4),
    "MAG with an empty text": mag(words=[], visual=None, acoustic=None),
    "MMSA without text": mmsa(raw_text=None),
    "MMSA with a text that is none": mmsa(raw_text=[3] * 6),
    "MMSA with an empty text": mmsa(raw_text=[" "] * 6),
    "MMSA with fewer texts than ids": mmsa(raw_text=["a"] * 5),
    "MMSA with lengths past the rows": mmsa(audio_lengths=[10**9] * 6),
    "MMSA with negative lengths": mmsa(vision_lengths=[-1] * 6),
    "MMSA with flat frames": mmsa(vision=np.zeros((6, 3))),
    "MMSA with an id twice": mmsa(id=["v$_$1"] * 6),
    "MMSA with padding among the frames": mmsa(audio=np.full((6, 40, 3), -np.inf)),
}

ROW = {"id": "a", "text": "not great", "label": 0.5}
HUGE_HEADER = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{" * 100


def listed(*rows):
    return {"segments.jsonl": "\n".join(map(json.dumps, rows)).encode()}


def table(*lines):
    return {"segments.csv": "\n".join(lines).encode()}


def with_frames(name, content):
    return {**listed(ROW), name: content}


# Files of a folder of segments.
FOLDERS = {
    "an id that leads up": listed(ROW | {"id": "../../canary"}),
    "an id that leads to the root": listed(ROW | {"id": "/etc/passwd"}),
    "an id that leads up on Windows": listed(ROW | {"id": "..\\canary"}),
    "an id with a NUL": listed(ROW | {"id": "a\0b"}),
    "an id that is hidden": listed(ROW | {"id": ".bashrc"}),
    "an id with a line's end": listed(ROW | {"id": "a\nb"}),
    "no id": listed({"text": "a"}),
    "an id twice": listed(ROW, ROW),
    "an empty text": listed(ROW | {"text": " "}),
    "no text": listed({"id": "a", "label": 1}),
    "half a character": listed(ROW | {"text": "\ud800"}),
    "a label that is text": listed(ROW | {"label": "good"}),
    "a label that is no number": listed(ROW | {"label": float("nan")}),
    "a label out of range": listed(ROW | {"label": 30}),
    "a label of a thousand digits": {
        "segments.jsonl": b'{"id": "a", "label": ' + b"9" * 9999 + b"}"
    },
    "an unknown split": listed(ROW | {"split": "training"}),
    "a split in some rows": listed(ROW, ROW | {"id": "b", "split": "train"}),
    "two names of a field that disagree": listed(ROW | {"labels": 1}),
    "times that run backwards": listed(ROW | {"start": 2, "end": 1}),
    "JSON that is cut": {"segments.jsonl": b'{"id": "a", "text'},
    "JSON nested beyond measure": {"segments.jsonl": b"[" * 100_000},
    "a list that is empty": {"segments.jsonl": b""},
    "a list that is no UTF-8": {"segments.jsonl": b'{"id": "a", "text": "caf\xe9"}'},
    "a list in UTF-16, unmarked": {"segments.jsonl": json.dumps(ROW).encode("utf-16-le")},
    "a list that is a pickle": {"segments.jsonl": pickle.dumps(Runs(eval, TOUCH))},
    "a table that is no UTF-8": {"segments.csv": b"id,text\n1,caf\xe9"},
    "a table without its texts": table("id,label", "1,0.5"),
    "a table without its labels": table("id,text", "1,a"),
    "a table with an unknown column": table("id,text,mood", "1,a,good"),
    "a table with a column twice": table("id,text,text", "1,a,b"),
    "a table with too few cells": table("id,text,label", "1,a"),
    "a table with too many cells": table("id,text,label", "1,a,0.5,2"),
    "a table with an open quote": table("id,text,label", '1,"a,0.5'),
    "a table with an endless cell": table("id,text,label", f"1,{'a' * 200_000},0.5"),
    "an array of objects": with_frames("visual/a.npy", npy(OBJECTS, allow_pickle=True)),
    "an array of text": with_frames("visual/a.npy", npy(np.array([["a"]]))),
    "an array that is cut": with_frames("visual/a.npy", npy(FRAMES)[:-1]),
    "an array that announces more": with_frames("visual/a.npy", HUGE),
    "an array with an endless header": with_frames("visual/a.npy", HUGE_HEADER),
    "an array with a program for a header": with_frames(
        "visual/a.npy", npy(FRAMES).replace(b"(2, 3), }", b"(2, 3) and ")
    ),
    "an array that is a pickle": with_frames("visual/a.npy", pickle.dumps(Runs(eval, TOUCH))),
    "an archive packed so that unpacking takes any memory": with_frames(
        "visual/a.npz", npz(FRAMES, method=zipfile.ZIP_LZMA)
    ),
    "an array of one dimension": with_frames("visual/a.npy", npy(np.ones(3))),
    "an array with infinities": with_frames("visual/a.npy", npy(FRAMES * np.inf)),
    "an empty file for an array": with_frames("visual/a.npy", b""),
    "an archive that unpacks for ever": with_frames("visual/a.npz", npz(np.zeros((10**6, 30)))),
    "an archive of several arrays": with_frames("visual/a.npz", npz(FRAMES, FRAMES)),
    "an archive of objects": with_frames(
        "acoustic/a.npz", npz(whole=npy(OBJECTS, allow_pickle=True))
    ),
    "an archive that leads up": with_frames("visual/a.npz", npz(**{"../../canary": b"here"})),
    "an archive that is cut": with_frames("acoustic/a.npz", npz(FRAMES)[:-9]),
    "an archive that is none": with_frames("acoustic/a.npz", b"PK\x03\x04" + b"x" * 99),
}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def a_pickle(path):
    path.write_bytes(pickle.dumps(Runs(eval, TOUCH)))


def group_in_itself(group, _):
    del group[VIDEO]["features"]
    group[VIDEO]["features"] = group


def an_hour_of_words(group, _):
    # Text of a fixed length that takes a gigabyte per row.
    del group[VIDEO]["features"]
    group[VIDEO].create_dataset("features", (4, 1), h5py.string_dtype(length=2**30), chunks=(1, 1))


def of_type(dtype, name="features"):
    def change(group, _):
        replaced(group[VIDEO], name, np.ones(group[VIDEO][name].shape).astype(dtype))

    return change


def endless_chunk(group, _):
    data = replaced(group[VIDEO], "features", np.ones((4, 4)), chunks=(4, 4), compression="gzip")
    data.id.write_direct_chunk((0, 0), zlib.compress(bytes(150 << 20), 1))


def packed_twice(group, _):
    del group[VIDEO]["features"]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4, 4))
    properties.set_deflate(1)
    properties.set_filter(h5py.h5z.FILTER_DEFLATE, h5py.h5z.FLAG_MANDATORY, (1,))
    space = h5py.h5s.create_simple((4, 4))
    name, kind = b"features", h5py.h5t.NATIVE_FLOAT
    h5py.h5d.create(group[VIDEO].id, name, kind, space, properties)


def inside(change):
    return lambda path: edit(path, change)


WORDS, LABELS = "CMU_MOSI_words.csd", "CMU_MOSI_Opinion_Segment_Labels.csd"
VISUAL = "CMU_MOSI_FACET_4.1.csd"
# The damaged file, and the damage.
SEQUENCES = {
    "a link to nowhere": (VISUAL, inside(soft_link)),
    "a link to another file": (VISUAL, inside(external_link)),
    "words in another file": (WORDS, inside(external_data)),
    "frames in another file": (VISUAL, inside(external_data)),
    "an array made of other files": (LABELS, inside(virtual)),
    "an array larger than the world": (VISUAL, inside(huge)),
    "an array of nothing but zeros": (VISUAL, inside(packed)),
    "chunks larger than the file": (VISUAL, inside(large_chunks)),
    "words of a gigabyte": (WORDS, inside(an_hour_of_words)),
    "references": (VISUAL, inside(references)),
    "a chunk that unpacks for ever": (VISUAL, inside(endless_chunk)),
    "chunks packed twice": (VISUAL, inside(packed_twice)),
    "a group that holds itself": (VISUAL, inside(group_in_itself)),
    "a group for an array": (LABELS, inside(group_for_array)),
    "an array for a group": (WORDS, inside(array_for_group)),
    "words of variable length": (WORDS, inside(features([["a"]], dtype=h5py.string_dtype()))),
    "words that are no UTF-8": (
        WORDS,
        inside(lambda data, _: data[VIDEO]["features"].__setitem__(0, b"caf\xe9")),
    ),
    "words that are numbers": (WORDS, inside(of_type("f8"))),
    "frames that are text": (VISUAL, inside(of_type("S3"))),
    "more labels than intervals": (LABELS, inside(features(np.zeros((99, 1))))),
    "intervals that are no time": (
        LABELS,
        inside(lambda data, _: data[VIDEO]["intervals"].__setitem__(0, np.nan)),
    ),
    "labels of two numbers": (LABELS, inside(features(np.zeros((3, 2))))),
    "intervals of text": (VISUAL, inside(of_type("S3", "intervals"))),
    "a video without words": (WORDS, inside(lambda data, _: data.pop(VIDEO))),
    "a second sequence": (LABELS, inside(lambda _, file: file.create_group("more"))),
    "no words in a segment": (
        WORDS,
        inside(lambda data, _: data[VIDEO]["features"].__setitem__(slice(None), b"sp")),
    ),
    "a sequence that is cut": (VISUAL, cut),
    "an empty sequence": (LABELS, emptied),
    "a sequence that is a pickle": (WORDS, a_pickle),
}


def changed(**changes):
    def change(store):
        manifest = json.loads((store / "manifest.json").read_text())
        (store / "manifest.json").write_text(json.dumps(manifest | changes))

    return change


def frames_changed(store):
    content = bytearray((store / "segments.arrow").read_bytes())
    at = content.rfind(SEGMENTS[0].frames["visual"][:1].tobytes())
    content[at] ^= 0xFF
    (store / "segments.arrow").write_bytes(content)


STORES = {
    "segments that are cut": lambda store: cut(store / "segments.arrow"),
    "segments that are a pickle": lambda store: a_pickle(store / "segments.arrow"),
    "no segments": lambda store: (store / "segments.arrow").unlink(),
    "frames that are not what was written": frames_changed,
    "a manifest that is cut": lambda store: cut(store / "manifest.json"),
    "a manifest that is no JSON": lambda store: a_pickle(store / "manifest.json"),
    "a manifest of another format": changed(format=99),
    "a manifest that counts more": changed(segments=10**12),
    "a manifest with other widths": changed(widths={"visual": 10**9, "acoustic": 0}),
    "a manifest with unknown fields": changed(path="../../canary"),
}


def refused(tmp_path, source, culprit):
    """Convert ``source``, and check that there is only one error, which names the damaged file."""
    before = sorted(tmp_path.rglob("*"))
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as error:
            settings = ConversionSettings("mosi", labelled=True)
            convert([source], "train", settings, tmp_path / "made" / "store")
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()
    assert str(culprit) in str(error.value)
    assert len(str(error.value)) < 1000
    assert sorted(tmp_path.rglob("*")) == before  # no canary, no store, no incomplete file


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("content", PROGRAMS.values(), ids=PROGRAMS)
def test_pickles_that_are_programs_or_none(tmp_path, content):
    path = tmp_path / "train.pkl"
    path.write_bytes(content)
    refused(tmp_path, path, path)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_pickles_whose_content_cannot_be_used(tmp_path, content):
    path = tmp_path / "train.pkl"
    path.write_bytes(pickle.dumps(content))
    refused(tmp_path, path, path)


@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_plain_folders(tmp_path, files):
    folder = tmp_path / "folder"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    refused(tmp_path, folder, folder)


@pytest.mark.parametrize(("culprit", "damage"), SEQUENCES.values(), ids=SEQUENCES)
def test_computational_sequences(tmp_path, culprit, damage):
    written_layouts.write_csd(tmp_path / "csd", {"train": SEGMENTS})
    damage(tmp_path / "csd" / culprit)
    refused(tmp_path, tmp_path / "csd", tmp_path / "csd" / culprit)


@pytest.mark.parametrize("damage", STORES.values(), ids=STORES)
def test_stores(tmp_path, damage):
    written_layouts.write_mag(tmp_path, dict.fromkeys(written_layouts.SPLITS, SEGMENTS))
    store = tmp_path / "stores" / "train"
    convert([tmp_path / "mag.pkl"], "train", ConversionSettings("mosi"), store)
    damage(store)
    refused(tmp_path, tmp_path / "stores", store)


def test_what_they_are_damaged_from_can_be_used(tmp_path):
    """Check that the undamaged file is accepted."""
    settings = ConversionSettings("mosi", labelled=True)
    corpus = dict.fromkeys(written_layouts.SPLITS, SEGMENTS)
    (tmp_path / "one.pkl").write_bytes(pickle.dumps([entry()]))
    sources = [tmp_path / "one.pkl", tmp_path / "folder"]
    (tmp_path / "folder" / "visual").mkdir(parents=True)
    (tmp_path / "folder" / "segments.jsonl").write_text(json.dumps(ROW))
    (tmp_path / "folder" / "visual" / "a.npz").write_bytes(npz(FRAMES))
    sources.append(written_layouts.write_mag(tmp_path, corpus)["train"])
    sources.append(written_layouts.write_mmsa(tmp_path, corpus, lengths=True)["train"])
    sources.append(written_layouts.write_csd(tmp_path / "csd", {"train": SEGMENTS})["train"])
    for number, source in enumerate(sources):
        convert([source], "train", settings, tmp_path / "stores" / str(number) / "train")
    again = convert([tmp_path / "stores" / "0"], "train", settings, tmp_path / "again")
    assert [segment.words for segment in again] == [("a", "b")]
