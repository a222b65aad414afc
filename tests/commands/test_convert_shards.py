"""``cmsbert data convert`` file by file: the same store as in one piece, and restartable."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import written_layouts
from small_predictor import made
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.datasets import conversion
from mmf_cmsbert.datasets.segment import checksum
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.writers.hugging_face import write_dataset
from mmf_cmsbert.records import record
from mmf_cmsbert.sharding import plan as plans

DIFFERING = ("size", "batches", "shards", "format")  # of a store of shards
TO = ("--dataset", "mosi", "--output")


@pytest.fixture
def convert(cmsbert):
    def typed(*words, output="out"):
        return cmsbert("data", "convert", *words, *TO, output)

    return typed


@pytest.fixture
def parts():
    """Write three folders of MISA's files, ``0/train.pkl`` and so on; return the files."""
    return [file for number in range(3) for file in write_part(number).values()]


def write_part(number, widths=(47, 74), label=None, **options):
    corpus = {}
    for split in SPLITS:
        made = make_segments(np.random.default_rng(number), split, widths=widths, **options)
        corpus[split] = [
            replace(each, id=f"{split}{number}[{i}]", video=f"{split}{number}")
            for i, each in enumerate(made)
        ]
    if label is not None:
        corpus["train"][0] = replace(corpus["train"][0], label=label)
    return written_layouts.write_misa(Path(str(number)), corpus)


def same_store(one, other, but=DIFFERING):
    one, other = StoredSegments(Path(one)), StoredSegments(Path(other))
    assert [checksum(each) for each in one] == [checksum(each) for each in other]
    both = [json.loads(json.dumps(asdict(each.manifest))) for each in (one, other)]
    differing = {name for name in both[0] if both[0][name] != both[1][name]}
    assert differing <= set(but), differing


def test_a_store_of_shards_equals_that_in_one_piece(convert, parts):
    assert convert(*parts, output="one").exit_code == 0
    done = convert(*parts, "--by-file")
    assert done.exit_code == 0, done.output
    assert "9 shards, 54 rows in, 54 segments out in the same order" in done.stdout
    assert "train: 18 segments, 18 with a label" in done.stdout
    for split in SPLITS:
        same_store(f"one/{split}", f"out/{split}")
    shards = StoredSegments(Path("out/train")).manifest.shards
    names = ["shards/train", "shards/train-2", "shards/train-3"]
    assert [(name, count) for name, count, _ in shards] == [(name, 6) for name in names]
    # Each shard is a store, and all of them a source.
    assert len(StoredSegments(Path("out/train/shards/train-2"))) == 6
    again = convert("out", output="again")
    assert again.exit_code == 0
    assert StoredSegments(Path("again/val")).manifest.content == (
        StoredSegments(Path("out/val")).manifest.content
    )


def test_a_folder_of_parquet_files_by_file_and_in_one_piece(convert, parts):
    pytest.importorskip("datasets", reason="its types describe the columns")
    convert(*parts, output="one")
    stores = {split: StoredSegments(Path("one", split)) for split in SPLITS}
    Path("hub").mkdir()
    write_dataset(Path("hub"), stores, {"visual": 47, "acoustic": 74}, "mosi", shard=1)
    assert len(list(Path("hub/data").glob("train-*.parquet"))) == 1
    rows = parquet.read_table(next(Path("hub/data").glob("train-*.parquet")))
    for number in range(3):  # as three files
        file = Path(f"hub/data/train-0000{number}-of-00003.parquet")
        parquet.write_table(rows.slice(6 * number, 6), file)
    Path("hub/data/train-00000-of-00001.parquet").unlink()
    assert convert("hub", output="whole").exit_code == 0
    done = convert("hub", "--by-file")
    assert done.exit_code == 0, done.output
    for split in SPLITS:
        same_store(f"whole/{split}", f"out/{split}", (*DIFFERING, "settings", "sources"))


def test_interrupted_it_continues_and_converts_only_what_has_changed(convert, parts, monkeypatch):
    converted = []
    write = conversion.write_store

    def stopped(folder, segments, **origin):
        converted.append(folder)
        if len(converted) == 4:
            next(iter(segments))
            raise KeyboardInterrupt
        write(folder, segments, **origin)

    monkeypatch.setattr(conversion, "write_store", stopped)
    done = convert(*parts, "--by-file")
    assert done.exit_code == 130 and "Stopped; 3 of 9 shards are done" in done.stdout
    assert not Path("out/train/manifest.json").exists(), "no store before all of it is there"
    done = convert(*parts, "--by-file")
    assert done.exit_code == 0 and "3 of 9 shards are already done" in done.stdout
    assert len(converted) == 4 + 6
    write_part(1)  # the same content, another time
    assert "9 of 9 shards are already done" in convert(*parts, "--by-file").stdout
    assert len(converted) == 10
    write_part(1, count=5)
    done = convert(*parts, "--by-file")
    assert "3 shards are made again" in done.stdout and len(converted) == 13
    assert "train: 17 segments" in done.stdout


def test_a_dataset_is_written_from_shards_and_read_as_one_split_in_order(convert, parts):
    pytest.importorskip("datasets", reason="its types describe the columns")
    convert(*parts, "--to", "datasets", output="one")
    done = convert(*parts, "--to", "datasets", "--by-file")
    assert done.exit_code == 0, done.output
    assert sorted(f.name for f in Path("out").iterdir() if f.name[0] != ".") == [
        "README.md",
        "data",
    ]
    assert not Path("out/.stores").exists()
    for name in ("train", "validation", "test"):
        file = f"data/{name}-00000-of-00001.parquet"
        assert parquet.read_table(Path("one", file)).equals(parquet.read_table(Path("out", file)))


def test_a_split_without_segments_in_one_of_its_files(convert):
    rows = [[f"{split}{i}" for i in range(3)] for split in SPLITS]
    for number, splits in enumerate((SPLITS, SPLITS[:1])):
        lines = [
            json.dumps({"id": f"{name}_{number}", "text": "good", "label": 1, "split": split})
            for split, names in zip(SPLITS, rows, strict=True) if split in splits for name in names
        ]  # fmt: skip
        Path(f"{number}.jsonl").write_text("\n".join(lines))
    Path("parts").mkdir()
    for number in range(2):
        Path(f"{number}.jsonl").rename(f"parts/{number}.jsonl")
    done = convert("parts", "--by-file")
    assert done.exit_code == 0, done.output
    assert "4 shards, 12 rows in" in done.stdout and "val: 3 segments" in done.stdout


@pytest.mark.parametrize("by_name", ["files", "folders"])
def test_splits_are_named_by_files_or_folders(convert, by_name):
    for split in ("train", "dev"):
        for number in range(2):
            file = Path("parts", f"{split}_{number}.csv")
            if by_name == "folders":
                file = Path("parts", split, f"{number}.csv")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"id,text,label\n{split}{number},good film,1\n")
    done = convert("parts", "--by-file")
    assert done.exit_code == 0, done.output
    for split, name in (("train", "train"), ("val", "dev")):
        found = StoredSegments(Path("out", split))
        assert [each.id for each in found] == [f"{name}0", f"{name}1"]


def test_an_id_in_two_files_is_named(convert):
    for number in range(2):
        Path(f"train_{number}.csv").write_text("id,text,label\na,good film,1\n")
    done = convert("train_0.csv", "train_1.csv", "--by-file")
    assert done.exit_code == 2
    assert "segment id a occurs in" in done.stderr and "train_1.csv" in done.stderr
    assert not Path("out/train/manifest.json").exists()


def test_files_of_other_widths_are_named(convert, parts):
    write_part(1, widths=(5, 74))
    done = convert(*parts, "--by-file")
    assert done.exit_code == 2
    assert "visual frames are 47 wide in shards/train and 5 in shards/train-2" in done.stderr


def test_a_file_that_cannot_be_converted_does_not_stop_the_others(convert, parts):
    write_part(1, label=7.0)
    done = convert(*parts, "--by-file")
    assert done.exit_code == 1 and "1 of 9 shards failed" in done.stdout
    assert "segment train1[0] has the label 7" in done.stdout
    assert "To skip such segments, type --skip-invalid" in done.stdout
    write_part(1)
    done = convert(*parts, "--by-file")
    assert done.exit_code == 0 and "8 of 9 shards are already done" in done.stdout


def test_a_file_that_is_not_named_any_more_is_not_in_the_store(convert, parts):
    convert(*parts, "--by-file")
    assert convert(*parts[3:], "--by-file").exit_code == 0
    found = StoredSegments(Path("out/train"))
    assert {each.video for each in found} == {"train1", "train2"}
    assert sorted(f.name for f in Path("out/train/shards").iterdir()) == ["train-2", "train-3"]


def test_files_that_are_read_together_are_refused(convert):
    corpus = {s: make_segments(np.random.default_rng(4), s) for s in SPLITS}
    written_layouts.write_csd(Path("csd"), corpus)
    done = convert("csd", "--by-file")
    assert done.exit_code == 2 and "read together; leave out --by-file" in done.stderr


def test_other_settings_are_refused(convert, parts):
    convert(*parts, "--by-file")
    done = convert(*parts, "--by-file", "--max-frames", 3)
    assert done.exit_code == 2 and "max_frames was 500 and is 3" in done.stderr


def test_a_shard_that_was_exchanged_is_damage(convert, parts):
    convert(*parts, "--by-file")
    shards = Path("out/train/shards")
    (shards / "train").rename(shards / "x")
    (shards / "train-2").rename(shards / "train")
    (shards / "x").rename(shards / "train-2")
    with pytest.raises(Exception, match="the shard shards/train has been replaced"):
        list(StoredSegments(Path("out/train")))


def test_the_manifest_has_the_plan_of_all_shards(convert, parts):
    convert(*parts, "--by-file")
    found = json.loads(Path("out", plans.FOLDER, plans.NAME).read_text())
    assert found["kind"] == "stores" and len(found["shards"]) == 9
    assert found["counts"] == {"shards": 9, "rows": 54, "bad_rows": 0}


def test_a_store_of_shards_is_predicted_shard_by_shard(convert, parts, cmsbert, tmp_path):
    made().save_pretrained(tmp_path / "model")
    for number in range(3):
        write_part(number, widths=(5, 4))
    convert(*parts, "--by-file")
    done = cmsbert("predict", tmp_path / "model", "out/test", "--output", "scores")
    assert done.exit_code == 0, done.output
    names = ["test-2.parquet", "test-3.parquet", "test.parquet"]
    assert sorted(f.name for f in Path("scores").glob("*.parquet")) == names
    assert "3 shards, 18 rows in, 18 predictions out" in done.stdout


def test_parquet_files_without_a_split_are_those_of_the_library(convert):
    """``datasets`` reads them as the training split, and so does a conversion in one piece."""
    pytest.importorskip("datasets", reason="it names the split")
    Path("parts").mkdir()
    for number in range(2):
        rows = {"id": [f"{number}"], "text": ["good film"], "label": [1.0]}
        parquet.write_table(pa.table(rows), f"parts/part-{number}.parquet")
    for output, more in {"one": (), "out": ("--by-file",)}.items():
        assert convert("parts", *more, output=output).exit_code == 0
        assert [each.id for each in StoredSegments(Path(output, "train"))] == ["0", "1"]
    assert convert("parts", "--by-file", "--split", "val", output="val").exit_code == 0
    assert len(StoredSegments(Path("val/val"))) == 2


@pytest.mark.slow
def test_training_on_shards_scores_as_on_one_store(convert, parts, typed_commands):
    convert(*parts, output="one")
    convert(*parts, "--by-file")
    scores = []
    for source in ("one", "out"):
        words = [
            "config=projects/cmsbert/demo.yaml", "dataset_config.mosi.synthetic=null",
            f"dataset_config.mosi.source={Path(source).absolute()}", "training.max_updates=4",
            "training.evaluation_interval=2", "training.batch_size=4",
            "dataset_config.mosi.normalise=corpus", f"env.save_dir=run_{source}",
        ]  # fmt: skip
        ended = typed_commands.run("mmf_run", words, Path.cwd())
        assert ended.returncode == 0, ended.stdout + ended.stderr
        scores.append(record.read(Path(f"run_{source}"))["test"])
    assert scores[0] == scores[1]
