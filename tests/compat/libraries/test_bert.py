import pytest
import torch
from transformers import BertConfig
from transformers.models.bert import modeling_bert


def config(**overrides):
    sizes = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4}
    return BertConfig(vocab_size=50, intermediate_size=48, **sizes, **overrides)


@pytest.fixture
def inputs():
    torch.manual_seed(1)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    return torch.randn(2, 5, 24), (1.0 - mask[:, None, None, :].float()) * -10000.0


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_encoder_computes_what_the_librarys_computes(inputs, attention):
    from mmf_cmsbert.compat.libraries.bert import BertEncoder

    ours = BertEncoder(config(attn_implementation=attention)).eval()
    librarys = modeling_bert.BertEncoder(config(attn_implementation=attention)).eval()
    librarys.load_state_dict(ours.state_dict())
    states, mask = inputs

    found = ours(states, mask, [None] * 3)

    assert isinstance(found, tuple) and len(found) == 1
    expected = librarys(states, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(found[0], expected, rtol=0, atol=0)
    assert not torch.allclose(expected, librarys(states).last_hidden_state)  # the mask matters


def test_encoder_computes_post_norm_transformer_layers(inputs):
    from mmf_cmsbert.compat.libraries.bert import BertEncoder

    encoder = BertEncoder(config(attn_implementation="sdpa")).eval()
    states, mask = inputs
    (found,) = encoder(states, mask)

    for layer in encoder.layer:
        heads = {
            name: getattr(layer.attention.self, name)(states).view(2, 5, 4, 6).transpose(1, 2)
            for name in ("query", "key", "value")
        }
        scores = heads["query"] @ heads["key"].transpose(-1, -2) / 6**0.5 + mask
        context = (scores.softmax(-1) @ heads["value"]).transpose(1, 2).reshape(2, 5, 24)
        attended = layer.attention.output.dense(context) + states
        attended = layer.attention.output.LayerNorm(attended)
        inner = torch.nn.functional.gelu(layer.intermediate.dense(attended))
        states = layer.output.LayerNorm(layer.output.dense(inner) + attended)
    torch.testing.assert_close(found, states)


def test_encoder_gives_all_states_and_attentions_where_asked(inputs):
    from mmf_cmsbert.compat.libraries.bert import BertEncoder

    encoder = BertEncoder(config(output_hidden_states=True, output_attentions=True)).eval()
    states, mask = inputs
    last, all_states, attentions = encoder(states, mask)

    assert len(all_states) == 4 and len(attentions) == 3
    assert torch.equal(all_states[0], states) and torch.equal(all_states[-1], last)
    for attention in attentions:
        assert attention.shape == (2, 4, 5, 5)
        torch.testing.assert_close(attention.sum(-1), torch.ones(2, 4, 5))
        assert attention[1, :, :, 3:].abs().max() == 0  # padding is not attended to


def test_encoder_refuses_to_ignore_a_head_mask(inputs):
    from mmf_cmsbert.compat.libraries.bert import BertEncoder

    with pytest.raises(NotImplementedError, match="heads"):
        BertEncoder(config())(*inputs, head_mask=[torch.ones(4), None, None])


def test_a_model_that_ends_with_init_weights_saves_and_loads(tmp_path):
    from mmf_cmsbert.compat.libraries.bert import BertEncoder, BertPreTrainedModel

    class Model(BertPreTrainedModel):
        def __init__(self, config, extra=1):
            super().__init__(config)
            self.encoder = BertEncoder(config)
            self.head = torch.nn.Linear(24, extra)
            self.init_weights()

    model = Model(config())
    assert 0.01 < model.head.weight.std() < 0.03  # BERT's initializer_range, not torch's default
    assert model.head.bias.abs().max() == 0
    model.save_pretrained(tmp_path)
    loaded = Model.from_pretrained(tmp_path, extra=1)
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    before = model.head.weight.clone()
    model.init_weights()  # MMF calls it again
    assert model.head.weight.shape == before.shape
