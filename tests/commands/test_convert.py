"""``cmsbert data convert``: corpora as stores, and for MISA's and MAG-BERT's code."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments, with_frames

from mmf_cmsbert.datasets import conversion
from mmf_cmsbert.datasets.readers import reading
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.segment import FACE_VOICE
from mmf_cmsbert.datasets.stores.store import StoredSegments

SHIPPED = (47, 74)


def make_corpus(widths=SHIPPED, **options):
    return {s: make_segments(np.random.default_rng(4), s, widths=widths, **options) for s in SPLITS}


def equal(ours, theirs):
    ours, theirs = list(ours), list(theirs)
    return len(ours) == len(theirs) and all(
        (a.id, a.words, a.label) == (b.id, b.words, b.label)
        and all(np.array_equal(a.frames.get(m), b.frames.get(m)) for m in FACE_VOICE)
        for a, b in zip(ours, theirs, strict=True)
    )


def next_command(result):
    """Return the arguments of the last command in the output."""
    return shlex.split(result.stdout[result.stdout.index("mmf_run ") :].replace("\\\n", ""))


def left(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


def test_a_store_by_default_in_the_working_folder(cmsbert, tmp_path):
    corpus = make_corpus()
    written_layouts.write_misa(tmp_path, corpus)
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi")
    assert result.exit_code == 0, result.stderr
    store = Path.cwd() / "mosi-store"
    for split in SPLITS:
        assert equal(StoredSegments(store / split), corpus[split])
        assert f"{split}: 6 segments, 6 with a label" in result.stdout
    assert next_command(result) == [
        "mmf_run",
        "config=projects/cmsbert/mosi.yaml",
        f"dataset_config.mosi.source={store}",
    ]


def test_the_next_command_names_widths_and_lengths_that_are_not_the_shipped_ones(cmsbert, tmp_path):
    corpus = make_corpus((5, 4), aligned=False)
    long = np.ones((600, 5), np.float32)
    corpus["val"][0] = with_frames(corpus["val"][0], visual=long)
    written_layouts.write_folder(tmp_path, corpus)
    for segment in sum(corpus.values(), []):
        (tmp_path / "acoustic" / f"{segment.id}.npz").unlink()
    typed = ("data", "convert", tmp_path, "--dataset", "mosi")
    named = next_command(cmsbert(*typed, "--max-frames", "none", "--output", "here/store"))
    assert named[3:] == [
        "dataset_config.mosi.features.visual=5",
        "dataset_config.mosi.features.acoustic=null",
        "dataset_config.mosi.max_frames=600",
    ]
    pooled = cmsbert(*typed)
    assert "max_frames" not in pooled.stdout
    assert len(StoredSegments(Path("mosi-store/val"))[0].frames["visual"]) == 500
    shortest = cmsbert(*typed, "--max-frames", 2, "--normalise", "segment", "--output", "short")
    assert shortest.exit_code == 0
    frames = StoredSegments(Path("short/train"))[0].frames["visual"]
    assert len(frames) == 2 and np.allclose(frames.mean(0), 0, atol=1e-5)


def test_one_split_alone(cmsbert, tmp_path):
    files = written_layouts.write_mag(tmp_path, make_corpus())
    result = cmsbert("data", "convert", files["val"], "--dataset", "mosi", "--split", "val")
    assert left("mosi-store") == ["val", "val/manifest.json", "val/segments.arrow"]
    assert "There is no train and no test split; add it to the source" in result.stdout


def test_misa_holds_the_same_segments(cmsbert, tmp_path):
    corpus = make_corpus()
    written_layouts.write_csd(tmp_path, corpus)
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", "--to", "misa")
    assert result.exit_code == 0, result.stderr
    assert left(".") == [
        "mosi-misa",
        "mosi-misa/dev.pkl",
        "mosi-misa/embedding_and_mapping.pt",
        "mosi-misa/test.pkl",
        "mosi-misa/train.pkl",
    ]
    for split, name in zip(SPLITS, ("train", "dev", "test"), strict=True):
        file = Path.cwd() / "mosi-misa" / f"{name}.pkl"
        assert equal(read_files([file], split, "misa"), read_files([tmp_path], split))
    assert f"dataset_config.mosi.source={file.parent}" in next_command(result)
    assert "holds pretrained_emb and word2id" in result.stdout


@pytest.mark.parametrize("layout", ["mag", "mmsa", "csd", "folder", "store"])
def test_every_layout_becomes_every_other(cmsbert, tmp_path, layout):
    corpus = make_corpus()
    if layout == "store":
        source = written_layouts.write_folder(tmp_path / "folder", corpus)["train"]
        cmsbert("data", "convert", source, "--dataset", "mosi", "--output", tmp_path / "store")
        source = tmp_path / "store"
    elif layout == "mmsa":
        source = written_layouts.write_mmsa(tmp_path, corpus, lengths=False)["train"]
    else:
        source = getattr(written_layouts, f"write_{layout}")(tmp_path / "x", corpus)["train"]
    expected = {split: list(read_files([source], split)) for split in SPLITS}
    for to in ("store", "misa", "mag"):
        result = cmsbert("data", "convert", source, "--dataset", "mosi", "--to", to)
        assert result.exit_code == 0, result.stderr
        found = find_source([Path.cwd() / f"mosi-{to}"])
        for split in SPLITS:
            assert equal(read_files(found.files[split], split), expected[split])


def test_one_vector_a_segment_can_go_to_every_word(cmsbert, tmp_path):
    corpus = make_corpus()
    corpus = {
        s: [with_frames(x, acoustic=x.frames["acoustic"][:1]) for x in each]
        for s, each in corpus.items()
    }
    written_layouts.write_folder(tmp_path, corpus)
    typed = ("data", "convert", tmp_path, "--dataset", "mosi", "--to", "mag")
    refused = cmsbert(*typed)
    assert refused.exit_code == 2 and "--single-frame every_word" in refused.stderr
    assert cmsbert(*typed, "--single-frame", "every_word").exit_code == 0


def test_segments_without_a_split_are_predicted(cmsbert, tmp_path):
    (tmp_path / "segments.csv").write_text("id,text\na,good film\n")
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi")
    assert result.exit_code == 0
    assert "no split is named, so all segments count as test" in result.stderr
    assert left("mosi-store") == ["test", "test/manifest.json", "test/segments.arrow"]
    assert "mmf_predict config=projects/cmsbert/mosi.yaml" in result.stdout


def test_word_vectors_are_misas_alone(cmsbert, tmp_path):
    (tmp_path / "glove.txt").write_text("")
    written_layouts.write_misa(tmp_path, make_corpus())
    typed = ("data", "convert", tmp_path, "--dataset", "mosi", "--word-vectors")
    result = cmsbert(*typed, tmp_path / "glove.txt")
    assert result.exit_code == 2 and "--word-vectors needs --to misa" in result.stderr


def test_misa_is_not_written_over_other_files(cmsbert, tmp_path):
    written_layouts.write_misa(tmp_path, make_corpus())
    before = (tmp_path / "dev.pkl").read_bytes()
    typed = ("data", "convert", tmp_path, "--dataset", "mosi", "--to", "misa", "--output", tmp_path)
    result = cmsbert(*typed)
    assert result.exit_code == 2
    assert "train.pkl already exists" in result.stderr
    assert (tmp_path / "dev.pkl").read_bytes() == before


def test_misa_refuses_unaligned_segments_and_leaves_nothing(cmsbert, tmp_path):
    written_layouts.write_folder(tmp_path, make_corpus(aligned=False))
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", "--to", "misa")
    assert result.exit_code == 2
    assert "MISA's layout needs one frame per word. Type --to store" in result.stderr
    assert left(".") == []


def test_misa_says_where_it_wrote_zeros(cmsbert, tmp_path):
    corpus = make_corpus()
    written_layouts.write_folder(tmp_path, corpus)
    (tmp_path / "visual" / f"{corpus['train'][0].id}.npy").unlink()
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", "--to", "misa")
    assert "1 segments without visual frames got zeros" in result.stdout


def test_a_segment_that_cannot_be_used_is_an_error_unless_it_may_be_left_out(cmsbert, tmp_path):
    corpus = make_corpus()
    corpus["train"][1] = replace(corpus["train"][1], label=7.0)
    corpus["val"][2].frames["visual"][0, 3] = np.inf
    corpus["test"][0] = replace(corpus["test"][0], label=float("nan"))
    written_layouts.write_misa(tmp_path, corpus)
    typed = ("data", "convert", tmp_path, "--dataset", "mosi")
    refused = cmsbert(*typed)
    assert refused.exit_code == 2
    assert corpus["train"][1].id in refused.stderr and "has the label 7" in refused.stderr
    assert refused.stderr.rstrip().endswith("type --skip-invalid")
    assert left(".") == []

    told = cmsbert(*typed, "--split", "val")
    assert "type --non-finite zero to read it as 0" in told.stderr
    zeros = cmsbert(*typed, "--split", "val", "--non-finite", "zero", "--output", "zeros")
    assert zeros.exit_code == 0
    assert StoredSegments(Path("zeros/val"))[2].frames["visual"][0, 3] == 0

    skipped = cmsbert(*typed, "--skip-invalid")
    assert skipped.exit_code == 0
    assert "train: 5 segments" in skipped.stdout and "1 skipped" in skipped.stdout
    assert f"skipped: {tmp_path / 'train.pkl'}: segment {corpus['train'][1].id}" in skipped.stdout
    assert "test: 6 segments, 5 with a label" in skipped.stdout


def write_sims(folder):
    """Write MMSA's file with an infinite value, as that of CH-SIMS has them."""
    corpus = make_corpus((709, 33), aligned=False)
    corpus = {s: [replace(x, label=x.label / 3) for x in each] for s, each in corpus.items()}
    corpus["train"][1].frames["acoustic"][0, 3] = -np.inf
    return written_layouts.write_mmsa(folder, corpus, lengths=True)["train"]


def test_infinite_values_are_read_as_the_dataset_defines_it_unless_typed(cmsbert, tmp_path):
    typed = ("data", "convert", write_sims(tmp_path), "--dataset", "sims")
    done = cmsbert(*typed)
    assert done.exit_code == 0, done.stderr
    assert StoredSegments(Path("sims-store/train"))[1].frames["acoustic"][0, 3] == 0
    refused = cmsbert(*typed, "--non-finite", "error", "--output", "refused")
    assert refused.exit_code == 2 and "type --non-finite zero to read it as 0" in refused.stderr


def test_a_dataset_of_ones_own_is_converted_as_it_is_defined_unless_typed(
    cmsbert, define, tmp_path
):
    corpus = make_corpus((5, 4))
    corpus = {
        s: [with_frames(x, acoustic=x.frames["acoustic"][:1]) for x in each]
        for s, each in corpus.items()
    }
    corpus["train"][1] = replace(corpus["train"][1], label=7.0)
    written_layouts.write_folder(tmp_path / "corpus", corpus)
    define(
        "mine",
        features={"visual": 5, "acoustic": 4},
        on_invalid="skip",
        single_frame="every_word",
        normalise="segment",
        max_frames=3,
    )
    typed = ("data", "convert", tmp_path / "corpus", "--dataset", "mine")
    done = cmsbert(*typed)
    assert done.exit_code == 0, done.stderr
    assert "train: 5 segments" in done.stdout and "1 skipped" in done.stdout
    first = StoredSegments(Path("mine-store/train"))[0]
    assert len(first.frames["acoustic"]) == len(first.words) > 3 == len(first.frames["visual"])
    assert np.allclose(first.frames["visual"].mean(0), 0, atol=1e-5)

    refused = cmsbert(*typed, "--no-skip-invalid", "--output", "refused")
    assert refused.exit_code == 2 and "has the label 7" in refused.stderr
    options = ("--single-frame", "keep", "--normalise", "none", "--max-frames", "none")
    assert cmsbert(*typed, *options, "--output", "typed").exit_code == 0
    as_typed = StoredSegments(Path("typed/train"))[0]
    assert len(as_typed.frames["acoustic"]) == 1
    assert np.array_equal(as_typed.frames["visual"], corpus["train"][0].frames["visual"])


def test_file_by_file_a_dataset_is_converted_as_it_is_defined(cmsbert, define, tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n")
    define("mine", non_finite="zero", vocabulary=str(tmp_path / "vocab.txt"))
    corpus = make_corpus()
    corpus["val"][2].frames["visual"][0, 3] = np.inf
    written_layouts.write_misa(tmp_path / "corpus", corpus)
    files = sorted((tmp_path / "corpus").glob("*.pkl"))
    done = cmsbert("data", "convert", *files, "--dataset", "mine", "--by-file")
    assert done.exit_code == 0, done.output
    assert StoredSegments(Path("mine-store/val"))[2].frames["visual"][0, 3] == 0
    found = StoredSegments(Path("mine-store/train")).manifest.settings
    assert found["vocabulary"] == str(tmp_path / "vocab.txt")


def test_splits_of_different_widths_are_not_one_corpus(cmsbert, tmp_path):
    corpus = make_corpus()
    corpus["test"] = make_corpus((5, 74))["test"]
    written_layouts.write_misa(tmp_path, corpus)
    for to in ("store", "misa"):
        result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", "--to", to)
        assert result.exit_code == 2
        assert "visual frames have different widths in the splits: train 47" in result.stderr
    assert not Path("mosi-misa").exists()


@pytest.mark.parametrize("to", ["store", "misa", "mag"])
def test_an_interrupted_conversion_leaves_nothing_half_written(cmsbert, tmp_path, monkeypatch, to):
    written_layouts.write_misa(tmp_path, make_corpus())

    def interrupted(files, split, *rest, **more):
        segments = reading.read_files(files, split, *rest, **more)
        yield next(segments)
        if split == "val":
            raise KeyboardInterrupt
        yield from segments

    monkeypatch.setattr(conversion, "read_files", interrupted)
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", "--to", to)
    assert result.exit_code == 130
    assert result.stderr.endswith("cmsbert data convert: interrupted by SIGINT\n")
    kept = ["mosi-store", "mosi-store/train"]
    kept += [f"mosi-store/train/{name}" for name in ("manifest.json", "segments.arrow")]
    assert left(".") == (kept if to == "store" else [])


def test_a_dataset_for_the_library_datasets_and_the_command_to_train_on_it(cmsbert, tmp_path):
    pytest.importorskip("datasets", reason="its types describe the columns")
    corpus = make_corpus()
    written_layouts.write_misa(tmp_path, corpus)
    output = tmp_path / "out"
    to = ("--dataset", "mosi", "--to", "datasets", "--output", output)
    result = cmsbert("data", "convert", tmp_path, *to)
    assert result.exit_code == 0, result.stderr
    assert left(output) == [
        "README.md",
        "data",
        *(f"data/{name}-00000-of-00001.parquet" for name in ("test", "train", "validation")),
    ]
    assert f"dataset_config.mosi.source={output}" in next_command(result)
    again = cmsbert("data", "convert", tmp_path, *to)
    assert again.exit_code == 2 and "already exists; move it away" in again.stderr


@pytest.mark.parametrize("typed", [("--to", "store", "--push", "a/b"), ("--push", "a/b")])
def test_only_a_dataset_is_pushed(cmsbert, tmp_path, typed):
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", *typed)
    assert result.exit_code == 2 and "--push a/b: expected OWNER/NAME, and --to datasets" in (
        result.stderr
    )


@pytest.mark.parametrize(
    "typed, message",
    [
        (("--column", "sentence"), "--column sentence: expected FIELD=NAME"),
        (("--column", "a-b=sentence"), "--column a-b=...: expected one of id, video, text"),
        (("--label-value", "bad=-"), "--label-value bad=-: expected a number"),
        (("--column", "text=a", "--column", "text=b"), "text is already a"),
    ],
)
def test_columns_and_classes_are_typed_as_pairs(cmsbert, tmp_path, typed, message):
    written_layouts.write_misa(tmp_path, make_corpus())
    result = cmsbert("data", "convert", tmp_path, "--dataset", "mosi", *typed)
    assert result.exit_code == 2 and message in result.stderr
