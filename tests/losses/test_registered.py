"""The losses, built and called by MMF."""

import math

import pytest
import torch

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.registry import registry
from mmf.common.sample import SampleList
from mmf.modules.losses import Losses
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses import multimodal_contrastive, sentiment_cross_entropy


@pytest.fixture(autouse=True)
def mmf_config():
    before = registry.get("config", no_warning=True)
    registry.register("config", OmegaConf.create({"evaluation": {"predict": False}}))
    yield
    registry.register("config", before)


def make_losses(text):
    return Losses(OmegaConf.create(text))


def make_batch(targets):
    batch = SampleList()
    batch.add_field("targets", torch.tensor(targets).reshape(-1, 1))
    batch.dataset_name, batch.dataset_type = "mosi", "train"
    return batch


def make_embeddings(batch=4, dim=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(batch, dim, generator=generator)
        for name in ("text", "visual", "acoustic")
    }


BATCH = make_batch([1.0, -1.0, 2.0, 0.0])
TEXT_PAIRS = [("text", "visual"), ("text", "acoustic")]


def contrast(output, params="{}"):
    losses = make_losses(f"[{{type: multimodal_contrastive, params: {params}}}]")
    return losses(BATCH, output)["train/mosi/multimodal_contrastive"].item()


def test_mmf_names_each_loss_by_split_and_dataset():
    losses = make_losses(
        "[{type: sentiment_regression, params: {kind: mse}}, {type: multimodal_contrastive}, "
        "{type: sentiment_classification, params: {label_smoothing: 0.1}}]"
    )
    embeddings, logits = make_embeddings(), torch.randn(4, 7)
    output = {"scores": torch.zeros(4, 1), "logits": logits, "embeddings": embeddings}
    values = losses(BATCH, output)
    assert set(values) == {
        "train/mosi/sentiment_regression",
        "train/mosi/multimodal_contrastive",
        "train/mosi/sentiment_classification",
    }
    # (1 + 1 + 4 + 0) / 4
    assert values["train/mosi/sentiment_regression"].item() == 1.5
    assert values["train/mosi/sentiment_classification"].item() == pytest.approx(
        sentiment_cross_entropy(logits, BATCH.targets, 0.1).item()
    )


def test_a_plain_name_takes_the_defaults():
    values = make_losses("[sentiment_regression]")(BATCH, {"scores": torch.zeros(4, 1)})
    assert values["train/mosi/sentiment_regression"].item() == 1.0  # l1: (1 + 1 + 2 + 0) / 4


def test_contrastive_defaults_pair_text_with_every_other_modality():
    embeddings = make_embeddings()
    expected = 0.1 * multimodal_contrastive(embeddings, TEXT_PAIRS, 0.07, 0.1).item()
    assert contrast({"embeddings": embeddings}) == pytest.approx(expected)


def test_contrastive_follows_what_the_model_gives():
    embeddings, targets = make_embeddings(), make_embeddings(seed=1)
    masks = {"visual": torch.tensor([True, False, True, True])}
    output = {
        "embeddings": embeddings,
        "embedding_masks": masks,
        "embedding_targets": targets,
        "temperature": torch.tensor(0.3),
        "contrastive_pairs": [["visual", "acoustic"]],
    }
    pairs = [("visual", "acoustic")]
    expected = multimodal_contrastive(embeddings, pairs, 0.3, 0.2, masks, targets).item()
    value = contrast(output, "{weight: 2.0, label_smoothing: 0.2, temperature: 0.9}")
    assert value == pytest.approx(2 * expected)


def test_contrastive_params_choose_the_pairs_and_the_temperature():
    embeddings = make_embeddings()
    output = {"embeddings": embeddings, "contrastive_pairs": [["text", "visual"]]}
    value = contrast(output, "{pairs: [[acoustic, text]], temperature: 0.5, weight: 1}")
    expected = multimodal_contrastive(embeddings, [("acoustic", "text")], 0.5, 0.1).item()
    assert value == pytest.approx(expected)


def test_contrastive_reads_the_output_of_a_model_not_written_for_it():
    embeddings = make_embeddings()
    output = {"caption": embeddings["text"], "image": embeddings["visual"]}
    value = contrast(output, "{weight: 1, embeddings: {words: caption, picture: image}}")
    expected = multimodal_contrastive(embeddings, [("text", "visual")], 0.07, 0.1).item()
    assert value == pytest.approx(expected)


def test_a_model_whose_other_modalities_are_off_has_no_contrastive_loss():
    output = {"embeddings": {"text": torch.randn(4, 3)}, "contrastive_pairs": []}
    assert contrast(output) == 0.0
    del output["contrastive_pairs"]
    assert contrast(output) == 0.0


def test_contrastive_trains_embeddings_and_temperature():
    embeddings = {name: e.requires_grad_(True) for name, e in make_embeddings().items()}
    temperature = torch.tensor(0.07, requires_grad=True)
    losses = make_losses("[{type: multimodal_contrastive}]")
    values = losses(BATCH, {"embeddings": embeddings, "temperature": temperature})
    values["train/mosi/multimodal_contrastive"].sum().backward()
    assert all(e.grad.abs().sum() > 0 for e in embeddings.values())
    assert temperature.grad != 0


def test_classification_reads_scores_where_there_are_no_logits():
    losses = make_losses("[sentiment_classification]")
    values = losses(BATCH, {"scores": torch.zeros(4, 2)})
    assert values["train/mosi/sentiment_classification"].item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    "name", ["sentiment_regression", "sentiment_classification", "multimodal_contrastive"]
)
def test_losses_hold_no_parameters(name):
    loss = registry.get_loss_class(name)()
    assert not list(loss.parameters()) and not list(loss.buffers())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "{type: sentiment_regression, params: {kind: l3}}",
            "params.kind is 'l3'; expected one of l1,",
        ),
        (
            "{type: sentiment_regression, params: {kin: l1}}",
            "params.kin is not a known key. Did you mean params.kind?",
        ),
        ("{type: sentiment_classification, params: {label_smoothing: 1.0}}", "smoothing is 1.0"),
        ("{type: multimodal_contrastive, params: {label_smoothing: -0.1}}", "smoothing is -0.1"),
        ("{type: multimodal_contrastive, params: {label_smoothing: high}}", "is 'high'"),
        (
            "{type: multimodal_contrastive, params: {weight: -1}}",
            "weight is -1; expected a number, at least 0",
        ),
        ("{type: multimodal_contrastive, params: {weight: .nan}}", "weight is nan"),
        ("{type: multimodal_contrastive, params: {temperature: 0}}", "temperature is 0"),
        (
            "{type: multimodal_contrastive, params: {temprature: 1}}",
            "Did you mean params.temperature?",
        ),
        ("{type: multimodal_contrastive, params: {pairs: []}}", r"pairs is \[\]; expected"),
        ("{type: multimodal_contrastive, params: {pairs: [[text]]}}", "pairs is"),
        ("{type: multimodal_contrastive, params: {pairs: [[text, text]]}}", "pairs is"),
        ("{type: multimodal_contrastive, params: {pairs: [text, visual]}}", "pairs is"),
        ("{type: multimodal_contrastive, params: {embeddings: text}}", "embeddings is 'text'"),
    ],
)
def test_wrong_params_are_refused_when_the_model_is_built(entry, message):
    with pytest.raises(ConfigError, match=message):
        make_losses(f"[{entry}]")


@pytest.mark.parametrize(
    ("entry", "output", "message"),
    [
        (
            "{type: multimodal_contrastive}",
            {"scores": torch.zeros(4, 1)},
            "multimodal_contrastive: the model's output has no 'embeddings', only scores.*"
            "params.embeddings",
        ),
        (
            "{type: multimodal_contrastive, params: {embeddings: {text: words, visual: frames}}}",
            {"words": torch.zeros(4, 3)},
            "has no 'frames', only words",
        ),
        (
            "{type: multimodal_contrastive, params: {pairs: [[text, touch]]}}",
            {"embeddings": make_embeddings()},
            "pair text-touch: there is no embedding 'touch', only text, visual, acoustic",
        ),
        (
            "{type: sentiment_regression}",
            {"scores": torch.zeros(4, 7)},
            r"sentiment_regression: predictions have shape \(4, 7\)",
        ),
        ("{type: sentiment_regression}", {"logits": torch.zeros(4, 1)}, "no 'scores', only logits"),
        ("{type: sentiment_classification}", {"scores": torch.zeros(4, 3)}, "7 classes, not 3"),
    ],
)
def test_an_output_that_does_not_fit_is_named(entry, output, message):
    with pytest.raises(ConfigError, match=message):
        make_losses(f"[{entry}]")(BATCH, output)
