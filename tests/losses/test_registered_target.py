"""The loss of a target, built and called by MMF."""

import math

import pytest
import torch

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.registry import registry
from mmf.common.sample import SampleList
from mmf.modules.losses import Losses
from omegaconf import OmegaConf

from mmf_cmsbert.config.schemas.targets import ClassesTarget, MultilabelTarget, RegressionTarget
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses import class_cross_entropy, multilabel_cross_entropy

TARGETS = {
    "sentiment": RegressionTarget(low=-1, high=1),
    "emotion": ClassesTarget(kind="classes", names=["neutral", "joy", "anger"]),
    "emotions": MultilabelTarget(kind="multilabel", names=["happy", "sad"]),
}
LOGITS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
CLASSES = torch.tensor([0, 2, -1, 1])
LABELS = torch.tensor([[1.0, 0.0], [0.0, math.nan], [1.0, 1.0], [0.0, 0.0]])
BALANCED = torch.tensor([0.5, 1.0, 2.0])


@pytest.fixture(autouse=True)
def registered():
    before = registry.get("config", no_warning=True)
    registry.register("config", OmegaConf.create({"evaluation": {"predict": False}}))
    registry.register("corpus_targets", TARGETS)
    registry.register("corpus_balanced", {"emotion": BALANCED})
    yield
    registry.register("config", before)
    registry.unregister("corpus_targets")
    registry.unregister("corpus_balanced")


def losses(text, dataset="corpus"):
    batch = SampleList()
    batch.add_field("targets", torch.tensor([[1.0], [0.5], [math.nan], [-1.0]]))
    batch.add_field("targets_emotion", CLASSES)
    batch.add_field("targets_emotions", LABELS)
    batch.dataset_name, batch.dataset_type = dataset, "train"
    output = {
        "scores": torch.zeros(4, 1),
        "scores_emotion": LOGITS,
        "scores_emotions": LOGITS[:, :2],
    }
    found = Losses(OmegaConf.create(text))(batch, output)
    return {name: value.item() for name, value in found.items()}


def test_each_target_has_a_loss_of_its_kind_and_a_name_of_its_own():
    found = losses(
        "[{type: target_loss}, {type: target_loss, params: {target: emotion, weight: 0.5}}, "
        "{type: target_loss, params: {target: emotions}}]"
    )
    assert found == {
        "train/corpus/target_loss/sentiment": pytest.approx(2.5 / 3),
        "train/corpus/target_loss/emotion": pytest.approx(
            0.5 * class_cross_entropy(LOGITS, CLASSES).item()
        ),
        "train/corpus/target_loss/emotions": pytest.approx(
            multilabel_cross_entropy(LOGITS[:, :2], LABELS).item()
        ),
    }


@pytest.mark.parametrize(
    ("typed", "weights"),
    [("none", None), ("balanced", BALANCED), ("[1, 2, 0]", torch.tensor([1.0, 2, 0]))],
)
def test_classes_are_weighted(typed, weights):
    text = f"[{{type: target_loss, params: {{target: emotion, class_weights: {typed}}}}}]"
    expected = class_cross_entropy(LOGITS, CLASSES, weights=weights).item()
    assert losses(text)["train/corpus/target_loss/emotion"] == pytest.approx(expected)


def test_a_dataset_without_the_target_adds_nothing():
    registry.register("corpus_targets", {"sentiment": TARGETS["sentiment"]})
    found = losses("[{type: target_loss, params: {target: emotion}}]")
    assert found == {"train/corpus/target_loss/emotion": 0}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{class_weights: [1, 2]}", "class_weights is .* but sentiment is a number"),
        ("{target: emotion, class_weights: [1, 2]}", "2 numbers for emotion; expected 3, for neu"),
        ("{class_weights: some}", "params.class_weights is 'some'; expected none, balanced, or"),
        ("{weight: -1}", "params.weight is -1; expected a number, at least 0"),
    ],
)
def test_wrong_params_are_refused(params, message):
    with pytest.raises(ConfigError, match=message):
        losses(f"[{{type: target_loss, params: {params}}}]")


def test_a_dataset_that_defines_no_targets_is_refused():
    with pytest.raises(ConfigError, match="dataset hateful_memes defines no targets"):
        losses("[{type: target_loss}]", "hateful_memes")
