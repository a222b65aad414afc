"""Main's ViT computes the same as the library's, with another layout of the weights."""

import pytest
import torch

pytestmark = pytest.mark.main("rc10 has no ViT")

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 32,
    "patch_size": 8,
}
NEW_NAMES = {
    "encoder.layer.": "layers.",
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
}


@pytest.fixture
def vit(mmf):
    from mmf.modules.vit import ViTModel
    from transformers import ViTConfig

    torch.manual_seed(0)
    return ViTModel(ViTConfig(**SIZES)).eval()


def renamed(name):
    for old, new in NEW_NAMES.items():
        name = name.replace(old, new)
    return name


def test_it_computes_what_the_library_s_computes(vit):
    from transformers import ViTConfig, ViTModel

    library = ViTModel(ViTConfig(**SIZES)).eval()
    library.load_state_dict({renamed(name): value for name, value in vit.state_dict().items()})
    images = torch.rand(2, 3, 32, 32)
    found, expected = vit(images, return_dict=True), library(images)
    torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state)
    torch.testing.assert_close(found.pooler_output, expected.pooler_output)


def test_patches_that_are_masked_change_nothing(vit):
    patches = torch.rand(2, 17, 32)
    vit.config.do_patch_embeddings = False
    mask = torch.ones(2, 17)
    mask[:, 12:] = 0
    masked = vit(patches, attention_mask=mask, return_dict=True).last_hidden_state
    without = vit(patches[:, :12], return_dict=True).last_hidden_state
    torch.testing.assert_close(masked[:, :12], without)


def test_weights_are_loaded(vit, tmp_path):
    vit.save_pretrained(tmp_path)
    loaded = type(vit).from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in vit.state_dict().items())
