"""The report on a corpus with known faults."""

import json
from dataclasses import replace

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments, with_frames

from mmf_cmsbert.datasets.inspection.inspection import inspect_source
from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import ConfigError, DataError


def segment(name, words="a good film", label=1.0, visual=None, acoustic=None):
    words = tuple(words.split())
    frames = np.ones((len(words), 2), np.float32)
    frames = frames * np.arange(1, len(words) + 1)[:, None] * [1, 7] + len(name)
    visual = frames.astype(np.float32) if visual is None else np.asarray(visual, np.float32)
    acoustic = visual.copy() if acoustic is None else np.asarray(acoustic, np.float32)
    return Segment(name, name.split("[")[0], words, {"visual": visual, "acoustic": acoustic}, label)


def corpus_of(*train, val=(), test=()):
    clean = {"val": segment("v[0]", "not so bad"), "test": segment("t[0]", "what a bore")}
    return {"train": train, "val": val or [clean["val"]], "test": test or [clean["test"]]}


def inspect(folder, corpus, **options):
    written_layouts.write_misa(folder, corpus)
    report = inspect_source(find_source([folder]), **options)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    return report


def said(report, *parts):
    return [each for each in report["findings"] if all(part in each for part in parts)]


def test_counts_labels_and_lengths(tmp_path):
    labels = [-3.0, -0.5, 0.5, 0.6, 2.5, None]  # halves are rounded to the even class
    lengths = [2, 3, 4, 5, 20, 6]
    train = [
        segment(f"a{i // 2}[{i}]", " ".join(f"w{i}" for _ in range(n)), label)
        for i, (label, n) in enumerate(zip(labels, lengths, strict=True))
    ]
    train[5] = replace(train[5], label=float("nan"))
    found = inspect(tmp_path, corpus_of(*train))["splits"]["train"]
    assert (found["segments"], found["videos"]) == (6, 3)
    expected = {"-3": 1, "-2": 0, "-1": 0, "0": 2, "1": 1, "2": 1, "3": 0}
    assert found["labels"]["classes"] == expected
    assert found["labels"]["mean"] == pytest.approx(np.mean(labels[:5]))
    assert found["labels"]["unlabelled"] == ["a2[5]"]
    assert found["lengths"]["words"] == {"min": 2, "median": 4, "p95": 20, "max": 20}
    assert found["longest"]["visual"] == {"segment": "a2[4]", "length": 20}
    assert found["files"] == [str(tmp_path / "train.pkl")]


def test_what_cannot_be_used_is_told_and_the_rest_is_counted(tmp_path):
    cut = segment("cut[0]")
    train = [
        segment("a[0]"),
        with_frames(cut, visual=cut.frames["visual"][:1]),
        segment("a[0]", "again"),
        segment("far[0]", "far out", label=4.0),
        segment("none[0]", "no label", label=float("nan")),
    ]
    report = inspect(tmp_path, corpus_of(*train))
    found = report["splits"]["train"]
    assert found["segments"] == 3
    assert found["duplicate_ids"] == ["a[0]"]
    assert len(found["unreadable_segments"]) == 1
    assert said(report, "train: 1 segment cannot be used", "3 words but 1 visual frames")
    assert said(report, "train: 1 segment with a duplicate id: a[0]")
    assert said(report, "train: 1 label outside [-3, 3]: far[0]")
    assert said(report, "train: 1 segment without a label: none[0]")


def test_unlabelled_test_segments_are_none_to_worry_about(tmp_path):
    test = [segment("t[0]", "new ones", label=float("nan"))]
    assert not said(inspect(tmp_path, corpus_of(segment("a[0]"), test=test)), "without a label")


def test_what_splits_share(tmp_path):
    val = [segment("a[1]", "A  Good film"), segment("v[0]", "not so bad")]
    test = [segment("v[0]", "what a bore")]
    report = inspect(tmp_path, corpus_of(segment("a[0]"), val=val, test=test))
    train_val, train_test, val_test = report["across"]
    assert train_val["splits"] == ["train", "val"] and train_val["videos"] == ["a"]
    assert train_val["texts"] == [{"text": "a good film", "segments": ["a[0]", "a[1]"]}]
    assert not any(train_test[key] for key in ("videos", "ids", "texts"))
    assert (val_test["videos"], val_test["ids"]) == (["v"], ["v[0]"])
    assert said(report, "1 video in train and val, which leaks: a")
    assert said(report, "1 segment id in val and test: v[0]")
    assert said(report, '1 text in train and val: "a good film"')


def test_features(tmp_path):
    rng = np.random.default_rng(1)
    train = []
    for i in range(4):
        frames = rng.normal(size=(3, 5)).astype(np.float32)
        frames[:, 1], frames[:, 2], frames[:, 4] = 0.0, 3.0, frames[:, 0]
        frames[1] = 0.0 if i == 0 else frames[1]
        frames[:, 2] = 3.0
        train.append(segment(f"a[{i}]", f"word number {i}", visual=frames))
    train[3].frames["acoustic"][0, 0] = -np.inf
    train[3].frames["acoustic"][1, 0] = np.nan
    train.append(segment("wide[0]", "very wide", visual=np.eye(2, 6)))
    report = inspect(tmp_path, corpus_of(*train))
    narrow, wide = report["splits"]["train"]["frames"]["visual"]
    assert (narrow["width"], narrow["segments"], wide["width"], wide["segments"]) == (5, 4, 6, 1)
    assert narrow["zero_columns"] == [1]
    assert narrow["constant_columns"] == [2]
    acoustic = report["splits"]["train"]["frames"]["acoustic"][0]
    assert (acoustic["nan"], acoustic["inf"]) == (1, 1)
    assert acoustic["not_finite_segments"] == ["a[3]"]
    assert said(report, "train: visual frames of different widths (segments): 5 (4), 6 (1)")
    assert said(report, "1 NaN and 1 infinite acoustic values in 1 segment", "--non-finite zero")
    assert said(report, "train", "only zeros in 1 visual column: 1")
    assert said(report, "visual columns 0 and 4 are identical")


def test_missing_modalities_and_unaligned_segments(tmp_path):
    corpus = {s: make_segments(np.random.default_rng(2), s, aligned=False) for s in SPLITS}
    corpus["train"][1] = replace(corpus["train"][1], words=("three", "words", "here"))
    written_layouts.write_folder(tmp_path, corpus)
    (tmp_path / "visual" / f"{corpus['val'][0].id}.npy").unlink()
    for each in corpus["test"]:
        (tmp_path / "acoustic" / f"{each.id}.npz").unlink()
    report = inspect_source(find_source([tmp_path]))
    assert len(report["splits"]["train"]["unaligned"]) == 6
    assert report["splits"]["val"]["missing"] == {"visual": 1, "acoustic": 0}
    assert "acoustic" not in report["splits"]["test"]["lengths"]
    assert said(report, "val: 1 of 6 segments have no visual frames")
    assert said(report, "test: no acoustic frames at all")


def test_a_faultless_corpus_has_no_findings(tmp_path):
    corpus = {}
    for seed, split in enumerate(SPLITS):
        corpus[split] = make_segments(np.random.default_rng(seed), split)
        for i, each in enumerate(corpus[split]):
            words = (*each.words[:-1], f"{split}{i}")
            corpus[split][i] = replace(each, words=words)
    assert inspect(tmp_path, corpus, dataset="mosi")["findings"] == []


def test_videos_are_held_against_the_canonical_split(tmp_path):
    train, val = (canonical_videos("mosi", split)[0] for split in ("train", "val"))
    segments = [segment(f"{video}[0]", video) for video in (train, val, "mine")]
    report = inspect(tmp_path, corpus_of(*segments), dataset="mosi")
    assert report["canonical"]["train"] == {"elsewhere": {val: "val"}, "unknown": ["mine"]}
    assert said(report, f"train: 1 video from another canonical split of MOSI: {val} (val)")
    assert said(report, "train: 1 video not of MOSI: mine")
    assert inspect_source(find_source([tmp_path]))["canonical"] == {}


def test_a_split_that_cannot_be_read_is_told_beside_the_others(tmp_path):
    written_layouts.write_misa(tmp_path, corpus_of(segment("a[0]")))
    damaged = tmp_path / "dev.pkl"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    report = inspect_source(find_source([tmp_path]))
    assert list(report["splits"]) == ["train", "test"]
    assert said(report, "the val split cannot be read: ", "dev.pkl")
    with pytest.raises(DataError, match=r"dev\.pkl"):
        inspect_source(find_source([damaged]))


def test_sequences_need_a_corpus_whose_split_they_have(tmp_path):
    corpus = {split: make_segments(np.random.default_rng(0), split) for split in SPLITS}
    written_layouts.write_csd(tmp_path, corpus)
    source = find_source([tmp_path])
    with pytest.raises(ConfigError, match="--dataset mosi"):
        inspect_source(source)
    report = inspect_source(source, "mosi")
    assert {s: f["segments"] for s, f in report["splits"].items()} == dict.fromkeys(SPLITS, 6)


def test_real_segments(shared):
    report = inspect_source(find_source([shared / "mosi" / "misa_dev.pkl"]), "mosi")
    found = report["splits"]["val"]
    assert (found["segments"], found["videos"], found["unaligned"]) == (229, 10, [])
    assert found["frames"]["visual"][0]["equal_columns"] == [[2, 3]]
    assert found["frames"]["acoustic"][0]["zero_columns"] == [36]
    assert said(report, "every visual column has mean zero in every segment")
