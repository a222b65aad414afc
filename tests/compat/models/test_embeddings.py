"""Embeddings of the modalities from a model that only returns scores."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError

SECTION = {
    "dim": 2,
    "parts": {
        "text": {"module": "words", "width": 4},
        "visual": {"module": "regions", "width": 3},
    },
}


@pytest.fixture
def make(mmf):
    """Build a model of two parts with MMF's `build_model`."""
    from mmf.common.registry import registry
    from mmf.models.base_model import BaseModel
    from mmf.utils.build import build_model

    class TwoParts(BaseModel):
        def build(self):
            self.words = torch.nn.Embedding(9, 4)
            self.regions = torch.nn.Linear(3, 3)

        def forward(self, sample_list):
            words, regions = (
                self.words(sample_list.input_ids),
                self.regions(sample_list.image_feature_0),
            )
            return {"scores": words.sum((1, 2)) + regions.sum((1, 2)), "losses": {}}

    class WithGroups(TwoParts):
        def get_optimizer_parameters(self, config):
            return [{"params": list(self.words.parameters()), "lr": 0.5}]

    before = dict(registry.mapping["state"])
    registry.register("config", OmegaConf.create({"evaluation": {"predict": False}}))
    registry.register("writer", SimpleNamespace(write=lambda *args, **kwargs: None))
    models = registry.mapping["model_name_mapping"]
    models |= {"two_parts": TwoParts, "with_groups": WithGroups}

    def make(section=SECTION, model="two_parts"):
        config = {"model": model, "modality_embeddings": section, "losses": []}
        return build_model(OmegaConf.create(config))

    yield make
    for name in ("two_parts", "with_groups"):
        del models[name]
    registry.mapping["state"].clear()
    registry.mapping["state"].update(before)


def batch(**info):
    from mmf.common.sample import SampleList

    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    samples = SampleList({"input_ids": torch.randint(9, (2, 3)), "input_mask": mask})
    samples.add_field("image_feature_0", torch.rand(2, 4, 3))
    samples.add_field("image_info_0", info)
    samples.dataset_name, samples.dataset_type = "toy", "train"
    return samples


def test_the_output_has_embeddings_and_who_has_them(make):
    model, samples = make(), batch(max_features=torch.tensor([2, 0]))
    output = model(samples)
    assert {m: tuple(each.shape) for m, each in output["embeddings"].items()} == {
        "text": (2, 2),
        "visual": (2, 2),
    }
    assert output["embedding_masks"]["text"].tolist() == [True, True]
    assert output["embedding_masks"]["visual"].tolist() == [True, False]
    layers = model.modality_embeddings.projections
    words = model.words(samples.input_ids)[0, :2].mean(0)
    torch.testing.assert_close(output["embeddings"]["text"][0], layers["text"](words))
    regions = model.regions(samples.image_feature_0)[0, :2].mean(0)
    torch.testing.assert_close(output["embeddings"]["visual"][0], layers["visual"](regions))


def test_regions_without_a_count_are_all_there(make):
    assert "visual" not in make()(batch())["embedding_masks"]


def test_without_the_section_a_model_is_as_it_was(make):
    assert set(make(None)(batch())) == {"scores", "losses"}


def test_the_projections_are_saved_and_trained(make):
    from mmf.utils.general import get_optimizer_parameters

    for name in ("two_parts", "with_groups"):
        model = make(model=name)
        own = set(model.modality_embeddings.parameters())
        assert "modality_embeddings.projections.text.weight" in model.state_dict()
        config = OmegaConf.create({"optimizer": {"allow_unused_parameters": True}})
        parameters = list(get_optimizer_parameters(model, config))
        if isinstance(parameters[0], dict):
            parameters = [each for group in parameters for each in group["params"]]
        assert own <= set(parameters)
        assert len(parameters) == len(set(parameters))


def test_our_loss_finds_them(make):
    from mmf_cmsbert.losses.registered import MultimodalContrastive

    samples = batch(max_features=torch.tensor([2, 4]))
    loss = MultimodalContrastive(weight=1.0)(samples, make()(samples))
    assert loss > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 0}, "dim is 0; expected a whole number from 1"),
        ({"parts": {"text": SECTION["parts"]["text"]}}, "two modalities or more"),
        ({"parts": SECTION["parts"] | {"text": "words"}}, "with the keys module, width"),
        ({"parts": SECTION["parts"] | {"text": {"module": "word", "width": 4}}}, "no part 'word'"),
        ({"width": 3}, "width is not a known key"),
    ],
)
def test_a_section_that_cannot_be_followed(make, change, message):
    with pytest.raises(ConfigError, match=f"two_parts.modality_embeddings.*{message}"):
        make(SECTION | change)


def test_a_width_that_is_wrong_is_told_with_the_first_batch(make):
    parts = SECTION["parts"] | {"text": {"module": "words", "width": 5}}
    with pytest.raises(ConfigError, match="part 'words' are 4 wide, expected 5"):
        make(SECTION | {"parts": parts})(batch())
