"""The datasets `mosi` and `mosei` with MMF's builders, collator and report."""

import csv
import json
import logging
import pickle
import re

import numpy as np
import pytest
import torch
import written_layouts

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.batch_collator import BatchCollator
from mmf.common.registry import registry
from mmf.common.report import Report
from mmf.utils.build import build_dataset
from omegaconf import OmegaConf

from mmf_cmsbert.datasets.synthetic import make_split
from mmf_cmsbert.datasets.windows import pool_windows
from mmf_cmsbert.errors import ConfigError, DataError

FILES = {"train": "train.pkl", "val": "dev.pkl", "test": "test.pkl"}
WIDTHS = {"mosi": {"visual": 47, "acoustic": 74}, "mosei": {"visual": 35, "acoustic": 74}}
COUNTS = {"seed": 1, "train": 12, "val": 5, "test": 6}


@pytest.fixture(autouse=True)
def fresh_registry():
    """Remove processors, which MMF keeps by dataset name until the process ends."""
    names = ("current_device", "writer", "mosi_word_processor", "mosei_word_processor")
    names += ("mosi_unaligned", "mosei_unaligned", "mosi_statistics", "mosei_statistics")
    before = {name: registry.get(name, no_warning=True) for name in names}
    for name in names:
        registry.unregister(name)
    registry.register("current_device", torch.device("cpu"))
    yield
    for name, value in before.items():
        registry.unregister(name)
        if value is not None:
            registry.register(name, value)


@pytest.fixture
def configured(tmp_path):
    """Return a function that configures a dataset with its files in a new folder."""

    def configured(name="mosi", **changes):
        builder = registry.get_builder_class(name)
        params = {"tokenizer": "projects/cmsbert/demo"}
        ours = {
            "data_dir": "${env.data_dir}/corpus",
            "annotations": {split: f"{name}/{file}" for split, file in FILES.items()},
            "processors": {"word_processor": {"params": params}},
        }
        return OmegaConf.merge(
            {"env": {"data_dir": str(tmp_path)}},
            OmegaConf.load(builder.config_path()),
            {"dataset_config": {name: ours}},
            {"dataset_config": {name: changes}},
        ).dataset_config[name]

    return configured


@pytest.fixture
def folder(tmp_path):
    """The folder of the files of `mosi`, with a small corpus."""
    folder = tmp_path / "corpus" / "mosi"
    folder.mkdir(parents=True)
    for split, file in FILES.items():
        (folder / file).write_bytes(pickle.dumps(make_split(split, COUNTS, WIDTHS["mosi"])))
    return folder


def change(path, edit):
    entries = pickle.loads(path.read_bytes())
    edit(entries)
    path.write_bytes(pickle.dumps(entries))


def batch_of(dataset, *numbers):
    collate = BatchCollator(dataset.dataset_name, dataset.dataset_type)
    return dataset.prepare_batch(collate([dataset[i] for i in numbers]))


def test_a_batch_has_what_the_model_reads(configured, folder):
    dataset = build_dataset("mosi", configured(), "val")
    entries = pickle.loads((folder / "dev.pkl").read_bytes())
    assert len(dataset) == 5
    batch = batch_of(dataset, 3, 0)
    lengths = [len(entries[i][0][3]) for i in (3, 0)]
    pieces, frames = max(lengths) + 2, max(lengths)
    for name in ("input_ids", "input_mask", "segment_ids", "word_index"):
        assert batch[name].shape == (2, pieces)
        assert batch[name].dtype == torch.int64
    assert batch.visual.shape == (2, frames, 47)
    assert batch.acoustic.shape == (2, frames, 74)
    assert batch.visual_mask.dtype == torch.bool
    assert batch.visual_mask.sum(1).tolist() == lengths
    assert batch.acoustic_mask.sum(1).tolist() == lengths
    assert batch.targets.tolist() == [entries[i][1][0].tolist() for i in (3, 0)]
    assert batch.targets.dtype == torch.float32
    assert batch.segment_id == [entries[i][2] for i in (3, 0)]
    assert (batch.dataset_name, batch.dataset_type) == ("mosi", "val")
    assert batch.get_batch_size() == 2
    for row, i in enumerate((3, 0)):
        (_, visual, acoustic, words), _, _ = entries[i]
        assert np.array_equal(batch.visual[row, : len(words)], visual)
        assert np.array_equal(batch.acoustic[row, : len(words)], acoustic)
        assert batch.word_index[row].tolist() == (
            [-1, *range(len(words))] + [-1] * (pieces - len(words) - 1)
        )


def test_mosi_and_mosei_keep_their_own_widths(configured, folder):
    mosei = configured("mosei", synthetic=COUNTS)
    batch = batch_of(build_dataset("mosei", mosei, "train"), 0, 1)
    assert batch.visual.shape[2] == 35
    batch = batch_of(build_dataset("mosi", configured(), "train"), 0, 1)
    assert batch.visual.shape[2] == 47


def test_more_frames_than_max_frames_are_pooled(configured, folder):
    batch = batch_of(build_dataset("mosi", configured(max_frames=3), "val"), 0, 1)
    entries = pickle.loads((folder / "dev.pkl").read_bytes())
    assert batch.visual.shape[1] == batch.acoustic.shape[1] == 3
    assert np.array_equal(batch.visual[0], pool_windows(entries[0][0][1], 3))
    assert batch.word_index[0].max() == len(entries[0][0][3]) - 1
    assert "visual frames" in registry.get("mosi_unaligned")["val"]


def test_the_statistics_of_a_corpus_are_those_of_its_training_split(configured, folder):
    config = configured(normalise="corpus")
    plain = batch_of(build_dataset("mosi", configured(), "val"), 0, 1)
    for split in FILES:
        batch = batch_of(build_dataset("mosi", config, split), 0, 1)
        if split == "val":  # the model scales, not the data
            assert torch.equal(batch.visual, plain.visual)
    entries = pickle.loads((folder / "train.pkl").read_bytes())
    acoustic = np.concatenate([each[0][2] for each in entries])
    mean, scale = registry.get("mosi_statistics")["acoustic"]
    assert np.allclose(mean, acoustic.mean(0), atol=1e-6)
    assert np.allclose(scale, acoustic.std(0), atol=1e-6)
    build_dataset("mosi", configured(), "train")
    assert registry.get("mosi_statistics") == {}


def test_segments_are_normalised_by_themselves_where_asked_to(configured, folder):
    batch = batch_of(build_dataset("mosi", configured(normalise="segment"), "val"), 0, 1)
    frames = batch.visual[0][batch.visual_mask[0]]
    assert torch.allclose(frames.var(0, unbiased=False), torch.ones(47), atol=1e-4)


def test_a_source_gives_the_same_as_its_files_named_one_by_one(configured, folder, monkeypatch):
    named = configured()
    source = configured(source="corpus/mosi/")
    monkeypatch.chdir(folder.parents[1])
    for split in FILES:
        one, other = (build_dataset("mosi", each, split) for each in (named, source))
        assert [s.segment_id for s in one] == [s.segment_id for s in other]
    with pytest.raises(
        DataError, match="source=corpus/mosi/train.pkl: .*it has no val split, only"
    ):
        build_dataset("mosi", configured(source="corpus/mosi/train.pkl"), "val")


def test_several_files_are_read_one_after_the_other(configured, folder):
    config = configured(annotations={"train": ["mosi/train.pkl", str(folder / "dev.pkl")]})
    dataset = build_dataset("mosi", config, "train")
    assert len(dataset) == 12 + 5
    assert dataset[16].segment_id.startswith("synthetic-val")


def test_one_mag_file_stands_in_all_three_lists(configured, folder):
    mag = {}
    for split, file in FILES.items():
        entries = pickle.loads((folder / file).read_bytes())
        key = "dev" if split == "val" else split
        mag[key] = [((words, v, a), label, name) for (_, v, a, words), label, name in entries]
    (folder / "mag.pkl").write_bytes(pickle.dumps(mag))
    in_misa, in_mag = configured(), configured(annotations=dict.fromkeys(FILES, "mosi/mag.pkl"))
    for split in FILES:
        one = batch_of(build_dataset("mosi", in_misa, split), 0, 1, 2)
        other = batch_of(build_dataset("mosi", in_mag, split), 0, 1, 2)
        assert one.fields() == other.fields()
        for name in one.fields():
            if torch.is_tensor(one[name]):
                assert torch.equal(one[name], other[name])
            else:
                assert one[name] == other[name]


@pytest.mark.parametrize("aligned", [True, False])
def test_a_batch_is_the_same_whichever_layout_its_segments_came_in(configured, tmp_path, aligned):
    rng = np.random.default_rng(3)
    corpus = {s: written_layouts.make_segments(rng, s, aligned=aligned) for s in FILES}
    files = {"mmsa": written_layouts.write_mmsa(tmp_path / "mmsa", corpus, lengths=True)}
    files["csd"] = written_layouts.write_csd(tmp_path / "csd", corpus, aligned)
    files["folder"] = written_layouts.write_folder(tmp_path / "folder", corpus)
    if aligned:
        files["misa"] = written_layouts.write_misa(tmp_path / "misa", corpus)
        files["mag"] = written_layouts.write_mag(tmp_path / "mag", corpus)
        files["aligned mmsa"] = written_layouts.write_mmsa(tmp_path / "a", corpus, lengths=False)
    for split in FILES:
        for paths in files.values():
            annotations = {each: [str(path)] for each, path in paths.items()}
            features = {"visual": 5, "acoustic": 4}
            alignment = "word" if aligned else "none"
            config = configured(annotations=annotations, features=features, alignment=alignment)
            batch = batch_of(build_dataset("mosi", config, split), *range(6))
            for modality in features:
                frames = [s.frames.get(modality) for s in corpus[split]]
                mask = batch[f"{modality}_mask"]
                assert mask.sum(1).tolist() == [len(each) for each in frames]
                assert torch.equal(batch[modality][mask], torch.from_numpy(np.concatenate(frames)))
                assert not batch[modality][~mask].any()
            assert batch.targets[:, 0].tolist() == [s.label for s in corpus[split]]
            words = [s.words for s in corpus[split]]
            assert batch.word_index.amax(1).tolist() == [len(each) - 1 for each in words]
            found = registry.get("mosi_unaligned")[split]
            assert (found is None) == aligned
    if not aligned:
        assert re.match(r"segment .* has \d words but \d+ visual frames", found)


def test_a_segment_without_a_modality_is_masked(configured, folder):
    def forget(entries):
        (ids, _visual, acoustic, words), label, name = entries[0]
        entries[0] = (ids, None, acoustic, words), label, name

    change(folder / "train.pkl", forget)
    batch = batch_of(build_dataset("mosi", configured(), "train"), 0, 1)
    assert batch.visual_mask.any(1).tolist() == [False, True]
    assert batch.acoustic_mask.any(1).tolist() == [True, True]
    assert not batch.visual[0].any()


def test_a_modality_that_the_whole_file_lacks_is_masked_at_its_declared_width(configured, folder):
    def forget(entries):
        entries[:] = [
            ((ids, np.zeros((len(words), 0)), acoustic, words), label, name)
            for (ids, _, acoustic, words), label, name in entries
        ]

    change(folder / "train.pkl", forget)
    batch = batch_of(build_dataset("mosi", configured(), "train"), 0, 1)
    assert batch.visual.shape == (2, 1, 47)
    assert not batch.visual_mask.any()


def test_a_modality_that_is_switched_off_is_not_loaded(configured, folder):
    config = configured(features={"visual": None})
    batch = batch_of(build_dataset("mosi", config, "train"), 0, 1)
    assert batch.visual.shape == (2, 1, 0)
    assert not batch.visual_mask.any()


def test_predictions_have_one_row_a_segment(configured, folder, tmp_path):
    change(folder / "test.pkl", lambda entries: entries[1][1].fill(np.nan))
    change(folder / "test.pkl", lambda entries: entries[0][1].fill(1.8))
    dataset = build_dataset("mosi", configured(), "test")
    batch = batch_of(dataset, 0, 1)
    assert batch.targets.isnan().flatten().tolist() == [False, True]
    scores = torch.tensor([[0.5], [-2.0]])
    rows = dataset.format_for_prediction(Report(batch, {"scores": scores}))
    assert rows == [
        {"id": "synthetic-test-001[0]", "prediction": 0.5, "label": 1.8},
        {"id": "synthetic-test-001[1]", "prediction": -2.0, "label": None},
    ]
    assert json.loads(json.dumps(rows)) == rows
    with open(tmp_path / "rows.csv", "w+", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        file.seek(0)
        assert [row["label"] for row in csv.DictReader(file)] == ["1.8", ""]


def test_predictions_need_one_score_a_segment(configured, folder):
    dataset = build_dataset("mosi", configured(), "test")
    report = Report(batch_of(dataset, 0, 1), {"scores": torch.zeros(2, 7)})
    with pytest.raises(ConfigError, match="7 scores per segment; expected 1 for sentiment"):
        dataset.format_for_prediction(report)


def test_the_log_has_one_line_a_split(configured, folder, caplog):
    def lengthen(entries):
        (ids, visual, acoustic, words), label, name = entries[0]
        words[0] = "antidisestablishmentarianism" * 2
        entries[0] = (ids, None, acoustic, words), label, name

    change(folder / "train.pkl", lengthen)
    with caplog.at_level(logging.INFO):
        build_dataset("mosi", configured(), "train")
    (line,) = [r.getMessage() for r in caplog.records if "segments" in r.getMessage()]
    labels = [label.item() for _, label, _ in pickle.loads((folder / "train.pkl").read_bytes())]
    assert line.startswith("mosi train: 12 segments, longest ")
    assert f"label mean {np.mean(labels):.2f}" in line
    assert "1 truncated to max_seq_length=50" in line
    assert "1 without visual" in line
    assert "synthetic" not in line


def test_a_conversion_names_the_media_files_that_are_not_read(configured, folder, caplog):
    for name in ("a.mp4", "b.wav"):
        (folder / name).touch()

    def logged():
        caplog.clear()
        with caplog.at_level(logging.INFO):
            for split in FILES:
                build_dataset("mosi", configured(), split)
        return [r.getMessage() for r in caplog.records if "media" in r.getMessage()]

    (line,) = logged()
    assert line.startswith("2 media files are not read (a.mp4, b.wav): only features are read")
    assert not logged()  # nothing is converted


def test_build_writes_the_synthetic_corpus_and_the_log_says_so(configured, tmp_path, caplog):
    config = configured(synthetic=COUNTS)
    with caplog.at_level(logging.INFO):
        sizes = {split: len(build_dataset("mosi", config, split)) for split in FILES}
    assert sizes == {split: COUNTS[split] for split in FILES}
    lines = [r.getMessage() for r in caplog.records if "segments" in r.getMessage()]
    assert len(lines) == 3
    assert all(" synthetic segments" in line for line in lines)
    # Read later as plain files, they are recognised.
    caplog.clear()
    with caplog.at_level(logging.INFO):
        build_dataset("mosi", configured(), "train")
    assert "12 synthetic segments" in caplog.text


def test_build_leaves_real_data_alone(configured, folder):
    before = (folder / "train.pkl").read_bytes()
    with pytest.raises(DataError, match="is not replaced"):
        build_dataset("mosi", configured(synthetic=COUNTS), "train")
    assert (folder / "train.pkl").read_bytes() == before


@pytest.mark.parametrize("name", ["mosi", "mosei"])
def test_a_missing_file_says_where_it_was_sought_and_what_to_do(configured, tmp_path, name):
    with pytest.raises(DataError) as error:
        build_dataset(name, configured(name), "train")  # MMF main builds this one first
    message = str(error.value)
    assert str(tmp_path / "corpus" / name / "train.pkl") in message
    assert f"dataset_config.{name}.source=PATH" in message
    assert f"cmsbert data download {name}" in message
    assert "make demo" in message
    assert f"dataset_config.{name}.data_dir={tmp_path / 'corpus'}" in message
    assert "MISA, MAG-BERT and MMSA" in message
    assert "CMU-MultimodalSDK" in message
    assert "mmf_run config=projects/cmsbert/demo.yaml" in message


def test_bad_data_is_refused_before_anything_is_built(configured, folder):
    (folder / "train.pkl").write_bytes(b"cos\nsystem\n(X\x04\x00\x00\x00truetR.")
    with pytest.raises(DataError, match=r"train.pkl: refused, .*os.system"):
        build_dataset("mosi", configured(), "train")
    (folder / "train.pkl").write_bytes(pickle.dumps([]))
    with pytest.raises(DataError, match="no segments in this split"):
        build_dataset("mosi", configured(), "train")


def test_the_same_segment_in_two_files_of_a_split_is_refused(configured, folder):
    config = configured(annotations={"train": ["mosi/train.pkl"] * 2})
    with pytest.raises(DataError, match=r"synthetic-train-001\[0\] occurs twice"):
        build_dataset("mosi", config, "train")


def test_a_missing_label_is_refused_in_training_and_validation(configured, folder):
    for split, file in (("train", "train.pkl"), ("val", "dev.pkl")):
        change(folder / file, lambda entries: entries[2][1].fill(np.nan))
        with pytest.raises(DataError, match=r"\[2\] has no label"):
            build_dataset("mosi", configured(), split)


@pytest.mark.parametrize(
    ("processors", "message"),
    [
        (
            {"word_processor": {"type": "nobody"}},
            "word_processor.type is 'nobody', which is not a registered processor",
        ),
        ({"word_processor": {"type": "simple_word"}}, "word_processor.type=word_pieces"),
        ({"word_processor": None}, "word_processor is None; expected a section"),
        (
            {"word_processor": {"params": {"tokeniser": "x"}}},
            "dataset_config.mosi.processors.word_processor.params.tokeniser is not a known key",
        ),
        (
            {"word_processor": {"params": {"tokenizer": "/absent"}}},
            "dataset_config.mosi.processors.word_processor.params.tokenizer: there is no folder",
        ),
    ],
)
def test_a_processor_that_cannot_be_built(configured, folder, processors, message):
    with pytest.raises(ConfigError) as error:
        build_dataset("mosi", configured(processors=processors), "train")
    assert message in str(error.value)


def test_real_mosi(configured, shared):
    folds = shared / "mosi" / "misa_folds"
    config = configured(annotations={split: str(folds / file) for split, file in FILES.items()})
    sizes = {split: len(build_dataset("mosi", config, split)) for split in FILES}
    assert sizes == {"train": 141, "val": 43, "test": 45}
    batch = batch_of(build_dataset("mosi", config, "test"), 0, 1, 2)
    assert batch.segment_id[0] == "X3j2zQgwYgE[0]"
    assert batch.targets[0].item() == pytest.approx(0.8)
