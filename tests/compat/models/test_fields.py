"""MMF's models read fields with other names or forms."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf.line import is_main
from mmf_cmsbert.errors import ConfigError


def batch(**fields):
    from mmf.common.sample import SampleList

    samples = SampleList()
    samples.dataset_name, samples.dataset_type = "toy", "train"
    for name, value in fields.items():
        samples.add_field(name, value)
    return samples


@pytest.fixture
def concat_bert(mmf):
    """The attributes of the model that `forward` reads."""
    from mmf.models.fusions import ConcatBERT

    model = SimpleNamespace(
        _is_direct_features_input=True,
        base=lambda text, modal, args: (text.float(), modal.flatten(1)),
        classifier=lambda embedding: embedding,
    )
    return lambda sample_list: ConcatBERT.forward(model, sample_list)["scores"]


def test_concat_bert_reads_the_features_that_every_reader_gives(concat_bert):
    text = {name: torch.ones(2, 1) for name in ("input_ids", "input_mask", "segment_ids")}
    regions = torch.rand(2, 3, 4)
    scores = concat_bert(batch(**text, image_feature_0=regions))
    assert torch.equal(scores[:, 1:], regions.flatten(1))


def test_vilbert_takes_boxes_in_pixels_and_in_shares(mmf):
    from mmf.models.vilbert import ViLBERT

    text = {name: torch.ones(1, 1) for name in ("input_ids", "input_mask", "segment_ids")}
    shares = torch.tensor([[[0.0, 0.0, 0.5, 1.0, 0.5], [0.5, 0.25, 1.0, 0.75, 0.25]]])

    def places(**info):
        info = SimpleNamespace(max_features=torch.tensor([2]), **info)
        samples = batch(**text, image_feature_0=torch.rand(1, 2, 3), image_info_0=info)
        read = ViLBERT.get_image_and_text_features(None, samples)
        assert samples.image_info_0 is info
        return read["image_location"]

    torch.testing.assert_close(places(bbox=shares), shares)
    if not is_main():  # which does not use pixels
        pixels = (shares[..., :4] * torch.tensor([200.0, 100.0, 200.0, 100.0])).numpy()
        found = places(bbox=pixels, image_width=[200.0], image_height=[100.0])
        torch.testing.assert_close(found, shares)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("visual_bert", {"visual_embedding_dim": 4}),
        ("vilbert", {"v_feature_size": 4}),
        ("late_fusion", {"num_features": 3, "modal_encoder": {"params": {"in_dim": 4}}}),
    ],
)
def test_regions_of_another_size_than_the_models(mmf, name, config):
    from mmf.models.base_model import BaseModel

    class Model(BaseModel):
        def forward(self, sample_list):
            return {"scores": sample_list["image_feature_0"], "losses": {}}

    model = Model(OmegaConf.create({"model": name, "direct_features_input": True, **config}))
    assert model(batch(image_feature_0=torch.rand(2, 3, 4)))["scores"].shape == (2, 3, 4)
    with pytest.raises(
        ConfigError, match=rf"{name}\..* is 4, but the regions of dataset toy have the size 3"
    ):
        model(batch(image_feature_0=torch.rand(2, 3, 5)))
    if "num_features" in config:
        with pytest.raises(ConfigError, match="late_fusion.num_features is 3"):
            model(batch(image_feature_0=torch.rand(2, 2, 4)))
