"""MMF's models that do not read images are built with small random weights, and run."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf import line as mmf_line

BATCH, WORDS, REGIONS, FEATURES = 3, 7, 5, 16
TINY = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}


@pytest.fixture
def build(mmf):
    """Build a model from MMF's default config, with overridden keys."""
    from mmf.common.registry import registry
    from mmf.utils.build import build_model
    from mmf.utils.configuration import Configuration, load_yaml

    vocab = SimpleNamespace(
        get_embedding=lambda cls, embedding_dim: cls(60, embedding_dim),
        get_size=lambda: 60,
        SOS_INDEX=1,
        EOS_INDEX=2,
    )

    def make(name, config_path=None, **overrides):
        config = Configuration().get_config()
        config.datasets = "toy"
        registry.register("config", config)
        registry.register("writer", SimpleNamespace(write=lambda *args, **kwargs: None))
        registry.register("toy_num_final_outputs", 4)
        registry.register("toy_text_processor", SimpleNamespace(vocab=vocab, max_length=6))
        registry.register("toy_answer_processor", SimpleNamespace(BOS_IDX=1))
        path = config_path or registry.get_model_class(name).config_path()
        config = OmegaConf.merge(config, load_yaml(path))
        model_config = OmegaConf.merge(config.model_config[name], overrides)
        config.model_config[name] = model_config
        config.model = config.model_config[name].model = name
        OmegaConf.set_struct(config, True)
        torch.manual_seed(0)
        return build_model(config.model_config[name]).eval()

    return make


def sample_list(**fields):
    from mmf.common.sample import SampleList

    samples = SampleList()
    samples.dataset_name, samples.dataset_type = "toy", "train"
    for name, value in fields.items():
        samples.add_field(name, value)
    return samples


def text_fields():
    mask = torch.ones(BATCH, WORDS, dtype=torch.long)
    mask[0, 4:] = 0
    return {
        "input_ids": torch.randint(5, 60, (BATCH, WORDS)),
        "input_mask": mask,
        "segment_ids": torch.zeros(BATCH, WORDS, dtype=torch.long),
    }


def image_fields():
    return {
        "image_feature_0": torch.randn(BATCH, REGIONS, FEATURES),
        "image_info_0": SimpleNamespace(max_features=torch.tensor([REGIONS, 3, 1])),
    }


@pytest.mark.parametrize("bert", ["random", "pretrained"])
def test_visual_bert(build, tiny_bert, bert):
    model = build(
        "visual_bert",
        **TINY,
        bert_model_name=None if bert == "random" else tiny_bert,
        training_head_type="classification",
        num_labels=2,
        visual_embedding_dim=FEATURES,
        losses=[{"type": "cross_entropy"}],
    )
    targets = torch.tensor([0, 1, 0])
    output = model(sample_list(**text_fields(), **image_fields(), targets=targets))

    assert output["scores"].shape == (BATCH, 2)
    sum(output["losses"].values()).backward()
    assert model.model.bert.encoder.layer[0].attention.self.query.weight.grad.abs().sum() > 0


def test_visual_bert_takes_the_pretrained_weights(build, tiny_bert):
    from transformers import BertModel

    model = build(
        "visual_bert",
        **TINY,
        bert_model_name=tiny_bert,
        training_head_type="classification",
        num_labels=2,
        visual_embedding_dim=FEATURES,
        losses=[],
    )
    expected = BertModel.from_pretrained(tiny_bert).state_dict()
    found = model.model.bert.state_dict()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def test_visual_bert_without_images_computes_what_bert_computes(build, tiny_bert):
    from transformers import BertModel

    model = build(
        "visual_bert",
        **TINY,
        bert_model_name=tiny_bert,
        training_head_type="classification",
        num_labels=2,
        visual_embedding_dim=FEATURES,
        losses=[],
    )
    fields = text_fields()
    arguments = fields["input_ids"], fields["input_mask"], fields["segment_ids"]
    states, pooled, _ = model.model.bert(*arguments)
    bert = BertModel.from_pretrained(tiny_bert).eval()
    expected = bert(*arguments)
    real = fields["input_mask"].bool()
    torch.testing.assert_close(states[real], expected.last_hidden_state[real])
    torch.testing.assert_close(pooled, expected.pooler_output)


def test_visual_bert_pretraining_shares_its_output_layer(build):
    model = build(
        "visual_bert",
        **TINY,
        bert_model_name=None,
        training_head_type="pretraining",
        visual_embedding_dim=FEATURES,
        losses=[],
    )
    head = model.model.cls.predictions.decoder
    assert head.weight is model.model.bert.embeddings.word_embeddings.weight

    labels = torch.randint(0, 60, (BATCH, WORDS))
    output = model(sample_list(**text_fields(), **image_fields(), lm_label_ids=labels))
    (loss,) = output["losses"].values()
    loss.backward()
    assert torch.isfinite(loss)


VILBERT = {
    **TINY,
    "v_feature_size": FEATURES,
    "v_target_size": 11,
    "v_hidden_size": 32,
    "v_num_hidden_layers": 1,
    "v_num_attention_heads": 4,
    "v_intermediate_size": 32,
    "bi_hidden_size": 32,
    "bi_num_attention_heads": 4,
    "bi_intermediate_size": 32,
    "v_biattention_id": [0],
    "t_biattention_id": [1],
}


def test_vilbert(build, tiny_bert):
    model = build(
        "vilbert",
        **VILBERT,
        bert_model_name=tiny_bert,
        training_head_type="classification",
        num_labels=2,
        losses=[{"type": "cross_entropy"}],
    )
    info = SimpleNamespace(
        max_features=torch.tensor([REGIONS, 3, 1]),
        bbox=torch.rand(BATCH, REGIONS, 5),
    )
    output = model(
        sample_list(
            **text_fields(),
            image_feature_0=torch.randn(BATCH, REGIONS, FEATURES),
            image_info_0=info,
            targets=torch.tensor([0, 1, 0]),
        )
    )
    assert output["scores"].shape == (BATCH, 2)
    sum(output["losses"].values()).backward()


@pytest.mark.main("rc10 is not written for torch.jit")
def test_vilbert_compiles_and_computes_the_same(build):
    model = build(
        "vilbert",
        **VILBERT,
        bert_model_name=None,
        training_head_type="classification",
        num_labels=2,
        losses=[],
    )
    text, regions = text_fields(), torch.randn(BATCH, REGIONS, FEATURES)
    places = torch.rand(BATCH, REGIONS, 5)
    arguments = text["input_ids"], regions, places, text["segment_ids"], text["input_mask"]
    with torch.no_grad():
        expected, found = model.model(*arguments), torch.jit.script(model.model)(*arguments)
    torch.testing.assert_close(found["scores"], expected["scores"])


def transformer_encoder(folder):
    return {
        "type": "transformer",
        "params": {
            "bert_model_name": folder,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
        },
    }


def features_encoder():
    return {"type": "default", "params": {"in_dim": FEATURES}}


def test_unimodal_text(build, tiny_bert):
    model = build(
        "unimodal_text",
        text_hidden_size=32,
        text_encoder=transformer_encoder(tiny_bert),
        losses=[{"type": "cross_entropy"}],
    )
    output = model(sample_list(**text_fields(), targets=torch.tensor([0, 1, 0])))
    assert output["scores"].shape == (BATCH, 2)


@pytest.mark.parametrize("name", ["concat_bert", "late_fusion"])
def test_fusion_of_text_and_features(build, tiny_bert, name):
    model = build(
        name,
        direct_features_input=True,
        text_hidden_size=32,
        modal_hidden_size=FEATURES,
        num_features=REGIONS,
        text_encoder=transformer_encoder(tiny_bert),
        modal_encoder=features_encoder(),
        losses=[{"type": "cross_entropy"}],
    )
    features = torch.randn(BATCH, REGIONS, FEATURES)
    output = model(
        sample_list(
            **text_fields(),
            image_feature_0=features,
            image_features_0=features,  # the name that concat_bert reads
            targets=torch.tensor([0, 1, 0]),
        )
    )
    assert output["scores"].shape == (BATCH, 2)


@pytest.mark.parametrize("head", ["classification", "pretraining"])
def test_mmbt_on_features(build, tiny_bert, head):
    model = build(
        "mmbt",
        training_head_type=head,
        bert_model_name=tiny_bert,
        direct_features_input=True,
        text_hidden_size=32,
        modal_hidden_size=FEATURES,
        text_encoder=transformer_encoder(tiny_bert),
        modal_encoder=features_encoder(),
        losses=[{"type": "cross_entropy"}],
    )
    output = model(
        sample_list(
            **text_fields(),
            image_feature_0=torch.randn(BATCH, REGIONS, FEATURES),
            targets=torch.tensor([0, 1, 0]),
            lm_label_ids=torch.randint(0, 60, (BATCH, WORDS)),
        )
    )
    assert all(torch.isfinite(loss) for loss in output["losses"].values())


@pytest.mark.parametrize("name", ["pythia", "lorra"])
def test_pythia_and_lorra(build, name):
    attention = {
        "modal_combine": {
            "type": "non_linear_element_multiply",
            "params": {"dropout": 0, "hidden_dim": 20},
        },
        "normalization": "softmax",
        "transform": {"type": "linear", "params": {"out_dim": 1}},
    }
    default = [{"type": "default", "params": {"model_data_dir": ""}}]
    model = build(
        name,
        model_data_dir="",
        image_feature_dim=FEATURES,
        image_feature_encodings=default,
        image_feature_embeddings=[attention],
        image_text_modal_combine={"params": {"hidden_dim": 20}},
        classifier={"params": {"img_hidden_dim": 20, "text_hidden_dim": 20}},
        **({"context_feature_dim": 300, "context_max_len": WORDS} if name == "lorra" else {}),
    )
    samples = sample_list(
        text=torch.randint(0, 60, (BATCH, WORDS)),
        **image_fields(),
        context=torch.randn(BATCH, WORDS, 300),
        context_feature_0=torch.randn(BATCH, WORDS, 300),
        context_info_0=SimpleNamespace(max_features=torch.tensor([WORDS, 3, 1])),
        order_vectors=torch.zeros(BATCH, WORDS, 50),
        targets=torch.rand(BATCH, 4),
    )
    output = model(samples)
    assert output["scores"].shape == (BATCH, 4)
    sum(output["losses"].values()).backward()


def test_ban(build):
    model = build(
        "ban",
        text_embedding={"num_hidden": 12, "emb_size": 300},
        bilinear_attention={"visual_feat_dim": FEATURES, "gamma": 2},
    )
    samples = sample_list(
        text=torch.randint(0, 60, (BATCH, WORDS)), **image_fields(), targets=torch.rand(BATCH, 4)
    )
    assert model(samples)["scores"].shape == (BATCH, 4)


def test_butd(build):
    model = build(
        "butd",
        model_data_dir="",
        image_feature_dim=FEATURES,
        image_feature_encodings=[{"type": "default", "params": {"model_data_dir": ""}}],
        classifier={"params": {"feature_dim": FEATURES, "hidden_dim": 8}},
        image_feature_embeddings=[
            {
                "modal_combine": {
                    "type": "top_down_attention_lstm",
                    "params": {"dropout": 0.0, "hidden_dim": 8, "attention_dim": 8},
                },
                "normalization": "softmax",
                "transform": {"type": "linear", "params": {"out_dim": 1}},
            }
        ],
    )
    samples = sample_list(
        text=torch.randint(0, 60, (BATCH, 6)),
        caption_len=torch.tensor([6, 4, 5]),
        answers=torch.randint(0, 60, (BATCH, 2, 6)),
        **image_fields(),
    )
    assert model(samples)["scores"].shape == (BATCH, 6, 60)


def test_m4c(build, monkeypatch):
    from mmf.models import m4c

    # its encoder of regions needs weights that would have to be downloaded
    maker = "build_image_encoder" if mmf_line.is_main() else "ImageFeatureEncoder"
    monkeypatch.setattr(m4c, maker, lambda *args, **kwargs: torch.nn.Identity())
    bert = {"hidden_size": 768, "num_hidden_layers": 1, "vocab_size": 60, "intermediate_size": 8}
    small = {"hidden_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1}
    model = build(
        "m4c",
        text_bert_init_from_bert_base=False,
        text_bert=bert,
        mmt={**small, "intermediate_size": 8},
        obj={"mmt_in_dim": FEATURES},
        ocr={"mmt_in_dim": 300 + 604 + FEATURES + 50},
        classifier={"ocr_max_num": 2, "ocr_ptr_net": {"hidden_size": 24, "query_key_size": 24}},
        losses=[],
    )
    samples = sample_list(
        text=torch.randint(0, 60, (BATCH, WORDS)),
        text_len=torch.tensor([WORDS, 3, 2]),
        **image_fields(),
        obj_bbox_coordinates=torch.rand(BATCH, REGIONS, 4),
        image_feature_1=torch.randn(BATCH, 2, FEATURES),
        context_feature_0=torch.randn(BATCH, 2, 300),
        context_feature_1=torch.randn(BATCH, 2, 604),
        context_info_0=SimpleNamespace(max_features=torch.tensor([2, 1, 1])),
        order_vectors=torch.zeros(BATCH, 2, 50),
        ocr_bbox_coordinates=torch.rand(BATCH, 2, 4),
        train_prev_inds=torch.zeros(BATCH, 3, dtype=torch.long),
    )
    assert model(samples)["scores"].shape == (BATCH, 3, 2 + 2)
