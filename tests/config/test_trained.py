"""The keys that change what the weights of a checkpoint compute."""

from copy import deepcopy
from fnmatch import fnmatchcase

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config import keys_of_training, trained
from mmf_cmsbert.paths import PACKAGE

MODEL = OmegaConf.to_container(OmegaConf.load(PACKAGE / "configs/models/cmsbert/defaults.yaml"))
DATASETS = {
    name: OmegaConf.to_container(OmegaConf.load(PACKAGE / f"configs/datasets/{name}/defaults.yaml"))
    for name in ("mosi", "mosei")
}
CONFIG = {
    "model": "cmsbert",
    "datasets": "mosi",
    "model_config": MODEL["model_config"],
    "dataset_config": {n: each["dataset_config"][n] for n, each in DATASETS.items()},
}


def changed(key, value, config=CONFIG):
    config = OmegaConf.create(deepcopy(config))
    OmegaConf.update(config, key, value, merge=False)
    return OmegaConf.to_container(config)


def keys(found):
    return [each.key for each in trained.differences(CONFIG, found)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_config.cmsbert.shift.gate", "sigmoid"),
        ("model_config.cmsbert.shift.beta", 0.5),
        ("model_config.cmsbert.shift.layer", 1),
        ("model_config.cmsbert.shift.context", "none"),
        ("model_config.cmsbert.shift.start", "mag"),
        ("model_config.cmsbert.backbone.pooling", "mean"),
        ("model_config.cmsbert.frames.heads", 2),
        ("model_config.cmsbert.contrastive.text_state", "verbal"),
        ("model_config.cmsbert.contrastive.pairs", [["text", "visual"]]),
        ("model_config.cmsbert.modalities", ["text"]),
        ("model_config.cmsbert.ema.enabled", False),
        ("model_config.cmsbert.head.classes", 7),
        ("dataset_config.mosi.normalise", "segment"),
        ("dataset_config.mosi.max_frames", 20),
        ("dataset_config.mosi.single_frame", "every_word"),
        ("dataset_config.mosi.alignment", "none"),
        ("dataset_config.mosi.processors.word_processor.params.max_seq_length", 20),
        ("dataset_config.mosi.processors.word_processor.params.tokenizer", "other"),
        ("model_config.cmsbert.a_key_of_tomorrow", 1),
        ("dataset_config.mosi.a_key_of_tomorrow", 1),
    ],
)
def test_what_changes_the_scores_is_found_by_its_key(key, value):
    assert keys(changed(key, value)) == [key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_config.cmsbert.shift.dropout", 0.1),
        ("model_config.cmsbert.head.dropout", 0.5),
        ("model_config.cmsbert.losses", []),
        ("model_config.cmsbert.ema.decay", 0.5),
        ("model_config.cmsbert.finetune_lr_multiplier", 0.1),
        ("model_config.cmsbert.backbone.length_groups", 1),
        ("model_config.cmsbert.shift.start", "identity"),  # the value of auto for utterance
        ("model_config.cmsbert.shift.beta", 1),
        ("model_config.cmsbert.modalities", "acoustic,text,visual"),
        ("model_config.cmsbert.features", {"mosi": {"visual": 47, "acoustic": 74}}),
        ("dataset_config.mosi.annotations.test", ["/own/clips"]),
        ("dataset_config.mosi.layout", "folder"),
        ("dataset_config.mosi.data_dir", "/elsewhere"),
        ("dataset_config.mosei.normalise", "segment"),  # not in use
    ],
)
def test_training_and_places_leave_the_scores_alone(key, value):
    assert keys(changed(key, value)) == []


def leaves(node, key=""):
    for name, below in node.items():
        path = f"{key}.{name}" if key else name
        yield from leaves(below, path) if isinstance(below, dict) and below else [path]


@pytest.mark.parametrize(
    ("section", "patterns"),
    [
        (CONFIG["model_config"]["cmsbert"], keys_of_training.IRRELEVANT_TO_MODEL),
        (CONFIG["dataset_config"]["mosi"], keys_of_training.IRRELEVANT_TO_DATASET),
    ],
)
def test_every_listed_pattern_names_keys_of_the_schema_or_of_mmf(section, patterns):
    known = [*leaves(section), *section, "model", "zoo_requirements", "source"]
    unused = [p for p in patterns if not any(fnmatchcase(key, p) for key in known)]
    assert unused == []


def test_another_width_is_named_in_the_datasets_own_words():
    found = changed("dataset_config.mosi.features.visual", 35)
    assert "dataset_config.mosi.features.visual" in keys(found)


def test_another_model_or_dataset_is_all_there_is_to_say():
    assert keys(changed("model", "mmbt")) == ["model"]
    assert "dataset" in keys(changed("datasets", "mosei"))


MMBT = {
    "model": "mmbt",
    "datasets": "hateful_memes",
    "model_config": {
        "mmbt": {
            "training_head_type": "classification",
            "fused_feature_only": False,
            "freeze_text": False,
            "model_data_dir": "/data",
            "finetune_lr_multiplier": 1,
            "losses": [{"type": "cross_entropy"}],
            "modal_encoder": {"params": {"pretrained": True, "pool_type": "avg"}},
            "optimizer": {"params": {"lr": 1e-5}},
            "lr_scale": 0.1,
            "text_init_from_bert_base": True,
        }
    },
    "dataset_config": {"hateful_memes": {"max_features": 100, "processors": {"size": 3}}},
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("freeze_text", True),
        ("model_data_dir", "/elsewhere"),
        ("finetune_lr_multiplier", 0.1),
        ("losses", []),
        ("modal_encoder.params.pretrained", False),
        ("optimizer.params.lr", 1),
        ("lr_scale", 1),
        ("text_init_from_bert_base", False),
        ("hidden_dropout_prob", 0.5),
        ("metrics", ["accuracy"]),
    ],
)
def test_training_of_a_model_of_mmf_leaves_its_scores_alone(key, value):
    assert list(trained.differences(MMBT, changed(f"model_config.mmbt.{key}", value, MMBT))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("fused_feature_only", True), ("modal_encoder.params.pool_type", "max"), ("heads", 2)],
)
def test_another_function_of_a_model_of_mmf_is_found(key, value):
    (found,) = trained.differences(MMBT, changed(f"model_config.mmbt.{key}", value, MMBT))
    assert found.key == f"model_config.mmbt.{key}"


def test_a_model_of_mmf_can_be_scored_on_any_dataset():
    found = changed("dataset_config.hateful_memes.processors.size", 4, MMBT)
    found = changed("dataset_config.vqa2", {"max_features": 9}, found)
    for datasets in ("hateful_memes", "vqa2", "hateful_memes,vqa2"):
        assert trained.differences(MMBT, changed("datasets", datasets, found)) == []


def test_mosi_is_compared_for_any_model_that_was_trained_on_it():
    on_mosi = {**CONFIG, "model": "mmbt", "model_config": MMBT["model_config"]}
    found = changed("dataset_config.mosi.normalise", "segment", on_mosi)
    assert [each.key for each in trained.differences(on_mosi, found)] == [
        "dataset_config.mosi.normalise"
    ]
    assert trained.differences(on_mosi, changed("datasets", "mosei", on_mosi)) == []


def test_the_message_names_values_and_what_to_type():
    found = changed("model_config.cmsbert.shift.gate", "sigmoid")
    found = changed("model_config.cmsbert.contrastive.pairs", [], found)
    differing = trained.differences(CONFIG, found)
    message = trained.refusal(differing, "run/best.ckpt", "env.save_dir=run", training=False)
    assert message.startswith("run/best.ckpt was trained with another configuration")
    assert "model_config.cmsbert.shift.gate is sigmoid; trained with relu" in message
    assert '"model_config.cmsbert.contrastive.pairs=[[text, visual], [text, acoustic]]"' in message
    assert "type env.save_dir=run without config=" in message
    assert "reset" not in message
    assert "checkpoint.reset.all=true" in trained.refusal(differing, "f", "t", training=True)
