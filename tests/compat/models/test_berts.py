"""Loading of the BERT of MMF's models."""

import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError

SHIPPED = "projects/cmsbert/demo"
SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture
def encoder(mmf):
    """Build MMF's text encoder with these params."""
    from mmf.modules.encoders import TransformerEncoder

    return lambda **params: TransformerEncoder(OmegaConf.create(params))


def test_a_text_encoder_with_random_weights_needs_no_file_of_weights(encoder):
    made = [encoder(bert_model_name=SHIPPED, random_init=True, **SIZES) for _ in range(2)]
    first, second = (each.module.embeddings.word_embeddings.weight for each in made)
    assert first.shape == (170, 32)  # from the folder's config.json, and from the params
    assert not torch.equal(first, second)
    assert made[0].config.num_hidden_layers == 1
    states, pooled = made[0].module(torch.ones(2, 3).long())  # a tuple, as MMF's models expect
    assert (states.shape, pooled.shape) == ((2, 3, 32), (2, 32))
    assert made[0].embeddings is made[0].module.embeddings


def test_without_it_the_weights_of_the_folder_are_loaded(encoder, tiny_bert):
    from transformers import BertModel

    found = encoder(bert_model_name=tiny_bert).module.state_dict()
    expected = BertModel.from_pretrained(tiny_bert).state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_sizes_may_refer_to_other_keys(mmf):
    from mmf.modules.encoders import TransformerEncoder

    params = {"bert_model_name": SHIPPED, "random_init": True, **SIZES, "hidden_size": "${width}"}
    config = OmegaConf.create({"width": 16, "params": params})
    assert TransformerEncoder(config.params).config.hidden_size == 16


def test_a_text_encoder_that_cannot_be_had(encoder, tmp_path):
    with pytest.raises(
        ConfigError, match="text_encoder.params.bert_model_name: there is no folder"
    ):
        encoder(bert_model_name=str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="could not be had in the folder"):
        encoder(bert_model_name=SHIPPED)  # without weights


@pytest.fixture
def visual_bert(mmf):
    from mmf.models.visual_bert import VisualBERTBase

    return VisualBERTBase


def test_a_bert_of_the_model_itself_comes_from_the_folder(visual_bert, tiny_bert):
    from transformers import BertConfig, BertModel

    config = BertConfig.from_pretrained(tiny_bert)
    model = visual_bert.from_pretrained(
        tiny_bert, config=config, cache_dir="/nowhere", visual_embedding_dim=5
    )
    expected = BertModel.from_pretrained(tiny_bert).embeddings.word_embeddings.weight
    assert torch.equal(model.embeddings.word_embeddings.weight, expected)
    assert model.embeddings.projection.in_features == 5


def test_null_stands_for_random_weights(visual_bert, tiny_bert):
    from transformers import BertConfig

    config = BertConfig.from_pretrained(tiny_bert)
    made = [visual_bert.from_pretrained(None, config=config) for _ in range(2)]
    first, second = (each.embeddings.word_embeddings.weight for each in made)
    assert first.shape == second.shape
    assert not torch.equal(first, second)


def test_one_that_cannot_be_had_is_named_by_its_key(visual_bert, tmp_path):
    with pytest.raises(ConfigError, match="model_config.visual_bert.bert_model_name: there is no"):
        visual_bert.from_pretrained(str(tmp_path / "nothing"))
