"""Datasets with other targets than sentiment, from files to batches and rows of predictions."""

import csv
import json
import math
import warnings

import pytest
import torch

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.batch_collator import BatchCollator
from mmf.common.registry import registry
from mmf.common.report import Report
from mmf.utils.build import build_dataset
from omegaconf import OmegaConf

from mmf_cmsbert.errors import DataError

TARGETS = {
    "emotion": {"kind": "classes", "names": ["neutral", "joy", "anger"]},
    "moods": {"kind": "multilabel", "names": ["happy", "sad"]},
    "arousal": {"kind": "regression", "low": 1, "high": 5},
}
ROWS = [
    {"text": "so good", "emotion": "Joy", "moods": "happy", "arousal": 4.5},
    {"text": "so so", "emotion": "neutral", "moods": "", "arousal": None},
    {"text": "bad", "emotion": "2", "moods": "sad, happy", "arousal": 1},
]


@pytest.fixture(autouse=True)
def fresh_registry():
    names = ("current_device", "writer", "mosi_word_processor")
    before = {name: registry.get(name, no_warning=True) for name in names}
    registry.register("current_device", torch.device("cpu"))
    yield
    for name, value in before.items():
        registry.unregister(name)
        if value is not None:
            registry.register(name, value)


def folder_of(rows, folder):
    rows = [row | {"id": f"s{i}", "split": "train"} for i, row in enumerate(rows)]
    (folder / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def table_of(rows, folder):
    with open(folder / "train.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "train.csv"


def built(source, targets=TARGETS, split="train", **changes):
    builder = registry.get_builder_class("mosi")
    params = {"tokenizer": "projects/cmsbert/demo"}
    config = OmegaConf.merge(
        {"env": {"data_dir": str(source.parent / "data")}},
        OmegaConf.load(builder.config_path()),
        {
            "dataset_config": {
                "mosi": {
                    "source": str(source),
                    "targets": targets,
                    "features": {"visual": None, "acoustic": None},
                    "processors": {"word_processor": {"params": params}},
                    **changes,
                }
            }
        },
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_dataset("mosi", config.dataset_config.mosi, split)


def batch_of(dataset):
    samples = [dataset[i] for i in range(len(dataset))]
    return dataset.prepare_batch(BatchCollator("mosi", "train")(samples))


@pytest.mark.parametrize("write", [folder_of, table_of])
def test_labels_by_name_and_in_lists_become_tensors_of_their_kind(tmp_path, write):
    batch = batch_of(built(write(ROWS, tmp_path)))
    assert batch["targets"].tolist() == batch["targets_emotion"].tolist() == [1, 0, 2]
    assert batch["targets"].dtype == torch.int64
    if write is folder_of:  # an empty text is no label at all
        assert batch["targets_moods"].nan_to_num(-1).tolist() == [[1, 0], [-1, -1], [1, 1]]
    arousal = batch["targets_arousal"]
    assert arousal.shape == (3, 1) and arousal.nan_to_num(-1).flatten().tolist() == [4.5, -1, 1]


def test_a_column_named_label_is_of_the_main_target(tmp_path):
    rows = [{"text": r["text"], "label": r["emotion"]} for r in ROWS]
    assert batch_of(built(folder_of(rows, tmp_path)))["targets"].tolist() == [1, 0, 2]


def test_columns_of_the_labels_give_a_main_target_of_several_labels(tmp_path):
    rows = [{"text": "a b", "happy": 1, "sad": 0}, {"text": "c", "happy": 0, "sad": 1}]
    batch = batch_of(built(table_of(rows, tmp_path), {"moods": TARGETS["moods"]}))
    assert batch["targets"].tolist() == [[1, 0], [0, 1]]


def test_rows_of_predictions_name_classes_and_labels(tmp_path):
    dataset = built(folder_of(ROWS, tmp_path))
    output = {
        "scores": torch.tensor([[0.0, 2, 1], [3, 0, 0], [0, 0, 0.5]]),
        "scores_moods": torch.tensor([[2.0, -2], [-1, -1], [1, 1]]),
        "scores_arousal": torch.tensor([[4.0], [1.5], [1.0]]),
    }
    report = Report(batch_of(dataset), output)
    first, second, _ = dataset.format_for_prediction(report)
    assert first.pop("probability_joy") == pytest.approx(math.exp(2) / (1 + math.exp(2) + math.e))
    assert first.pop("moods_probability_sad") == pytest.approx(1 / (1 + math.exp(2)))
    assert {name: value for name, value in first.items() if "probability" not in name} == {
        "id": "s0",
        "prediction": "joy",
        "label": "joy",
        "moods": "happy",
        "moods_label": "happy",
        "arousal": 4.0,
        "arousal_label": 4.5,
    }
    assert (second["moods"], second["moods_label"], second["arousal_label"]) == ("", None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"emotion": "joyful"}, r"s1: emotion is 'joyful'; expected one of neutral, joy, anger"),
        ({"emotion": 3}, r"segment s1 has the label 3; expected one of neutral, joy, anger, or"),
        ({"emotion": None}, r"segment s1 has no label .* need one of neutral, joy, anger.*emotion"),
        ({"arousal": 0.5}, r"segment s1 has the arousal 0.5; expected an arousal in \[1, 5\]"),
        ({"moods": [1, 2]}, r"segment s1 has the moods 1, 2; expected 0 or 1 for each of happy"),
    ],
)
def test_a_wrong_label_is_named_with_file_segment_and_what_was_expected(tmp_path, change, message):
    rows = [ROWS[0], ROWS[1] | change, ROWS[2]]
    with pytest.raises(DataError, match=message) as error:
        built(folder_of(rows, tmp_path))
    assert str(tmp_path) in str(error.value)


def test_a_changed_order_of_targets_is_another_store(tmp_path):
    rows = [{"text": "a b", "emotion": "joy", "arousal": 2}]
    source = folder_of(rows, tmp_path)
    one = {name: TARGETS[name] for name in ("emotion", "arousal")}
    assert batch_of(built(source, one))["targets"].tolist() == [1]
    assert batch_of(built(source, dict(reversed(one.items()))))["targets"].tolist() == [[2.0]]


def test_columns_of_other_names_are_named_by_the_user(tmp_path):
    rows = [
        {"text": "a b", "Feeling": "joy", "calm": 2.5},
        {"text": "c", "Feeling": "2", "calm": 3},
    ]
    columns = {"emotion": "Feeling", "arousal": "calm"}
    targets = {name: TARGETS[name] for name in ("emotion", "arousal")}
    batch = batch_of(built(table_of(rows, tmp_path), targets, columns=columns))
    assert batch["targets"].tolist() == [1, 2]
    assert batch["targets_arousal"].tolist() == [[2.5], [3]]


def test_weights_of_classes_come_from_the_training_split_alone(tmp_path, monkeypatch):
    losses = [{"type": "target_loss", "params": {"class_weights": "balanced"}}]
    config = {"model": "m", "model_config": {"m": {"losses": losses}}}
    monkeypatch.setitem(registry.mapping["state"], "config", OmegaConf.create(config))
    rows = [{"text": "a b", "emotion": emotion} for emotion in ("joy", "joy", "joy", "anger")]
    source = folder_of([row | {"id": f"r{i}"} for i, row in enumerate(rows)], tmp_path)
    targets = {"emotion": TARGETS["emotion"]}
    for split in ("train", "test"):  # MMF has a builder for each split
        file = source / "segments.jsonl"
        file.write_text(file.read_text().replace('"split": "train"', f'"split": "{split}"'))
        builder = registry.get_builder_class("mosi")()
        section = OmegaConf.merge(
            {"env": {"data_dir": str(tmp_path / "data")}},
            OmegaConf.load(builder.config_path()),
            {"dataset_config": {"mosi": {"source": str(source), "targets": targets}}},
            {"dataset_config": {"mosi": {"features": {"visual": None, "acoustic": None}}}},
        ).dataset_config.mosi
        builder.load(section, split)
        builder.update_registry_for_model(section)
    assert registry.get("mosi_balanced")["emotion"].tolist() == pytest.approx([0, 4 / 9, 4 / 3])
    registry.unregister("mosi_balanced")
