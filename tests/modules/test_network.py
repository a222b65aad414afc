"""The whole network with small random batches."""

import copy

import pytest
import torch
from network_configs import network_config

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.modules.network import SentimentNetwork
from mmf_cmsbert.modules.weight_average import WeightAverage

BERT = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
# One that cannot be packed.
ELECTRA = BERT | {"model_type": "electra", "embedding_size": 16}
WIDTHS = {"visual": {"mosi": 5, "mosei": 3}, "acoustic": {"mosi": 4, "mosei": 4}}


def network(widths=WIDTHS, backbone=BERT, **settings):
    torch.manual_seed(0)
    # With an identity start, frames would have no effect at first.
    settings = {"frame_dim": 8, "frame_heads": 2, "embed_dim": 6, "shift_start": "mag"} | settings
    return SentimentNetwork(
        load_backbone(from_config=backbone), widths, network_config(**settings)
    ).eval()


def batch(dataset="mosi", words=4, visual_frames=4, acoustic_frames=4):
    torch.manual_seed(1)
    pieces = words + 2
    frames = {
        "visual": torch.randn(2, visual_frames, WIDTHS["visual"][dataset]),
        "acoustic": torch.randn(2, acoustic_frames, WIDTHS["acoustic"][dataset]),
    }
    return {
        "input_ids": torch.randint(5, 30, (2, pieces)),
        "input_mask": torch.ones(2, pieces, dtype=torch.long),
        "word_index": torch.tensor([[-1, *range(words), -1]] * 2),
        "frames": frames,
        "frame_masks": {m: torch.ones(f.shape[:2], dtype=torch.bool) for m, f in frames.items()},
        "dataset": dataset,
    }


@pytest.mark.parametrize("context", ["utterance", "word", "none"])
@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("pooling", ["cls", "mean", "attention"])
def test_gives_a_sentiment_and_unit_embeddings_and_trains_every_weight(context, layer, pooling):
    model = network(shift_context=context, shift_layer=layer, pooling=pooling)
    output = model(**batch())
    assert output.logits.shape == (2, 1)
    assert set(output.embeddings) == {"text", "visual", "acoustic"}
    for embedding in output.embeddings.values():
        torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(2))
    weights = torch.randn(6)
    total = output.logits.sum() + sum((e * weights).sum() for e in output.embeddings.values())
    total.backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None and "mosei" not in n]
    assert idle == []


def test_without_shift_the_sentiment_is_plain_berts_and_ignores_the_frames():
    model = network(shift_context="none")
    inputs = batch()
    states = model.backbone(inputs["input_ids"], inputs["input_mask"])
    expected = model.head(states.pooler_output)
    torch.testing.assert_close(model(**inputs).logits, expected)


@pytest.mark.parametrize("context", ["utterance", "word"])
@pytest.mark.parametrize("modality", ["visual", "acoustic"])
def test_with_shift_the_sentiment_depends_on_each_modality(context, modality):
    model, inputs = network(shift_context=context), batch()
    before = model(**inputs).logits
    inputs["frames"][modality] = inputs["frames"][modality] + 30 * torch.randn(1, 4, 1)
    assert not torch.allclose(before, model(**inputs).logits)


@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("context", ["utterance", "word"])
def test_it_explains_the_shift_at_the_layer_where_it_is_made(context, layer):
    model, inputs = network(shift_context=context, shift_layer=layer), batch()
    before = model(**inputs).logits
    found = model.explain(**inputs)
    assert found.size.shape == (2, 6) and (found.size[:, 1:5] > 0).all()
    assert set(found.attention) == {"visual", "acoustic"}
    torch.testing.assert_close(model(**inputs).logits, before)  # no hook remains
    inputs["frame_masks"]["visual"][0] = False
    assert (model.explain(**inputs).sizes["visual"][0] == 0).all()


def test_without_a_shift_there_is_nothing_to_explain():
    assert network(shift_context="none").explain(**batch()) is None


@pytest.mark.parametrize("context", ["utterance", "word"])
def test_a_missing_modality_has_no_say_whatever_stands_in_its_frames(context):
    model, inputs = network(shift_context=context), batch()
    inputs["frame_masks"]["visual"][0] = False
    before = model(**inputs)
    inputs["frames"]["visual"][0] = 99.0
    after = model(**inputs)
    assert torch.equal(before.logits[0], after.logits[0])
    assert before.present["visual"].tolist() == [False, True]
    assert torch.isfinite(before.embeddings["visual"]).all()


def test_unaligned_modalities_of_different_lengths_pass_through():
    inputs = batch(words=3, visual_frames=9, acoustic_frames=1)
    assert network()(**inputs).logits.shape == (2, 1)


def test_word_context_refuses_frames_that_are_not_aligned():
    with pytest.raises(
        ConfigError, match="needs one visual frame per word.*shift.context=utterance"
    ):
        network(shift_context="word")(**batch(words=4, visual_frames=2))


def test_word_context_asks_nothing_of_a_segment_without_the_modality():
    model, inputs = network(shift_context="word"), batch()
    inputs["frames"]["visual"] = torch.zeros(2, 1, WIDTHS["visual"]["mosi"])
    inputs["frame_masks"]["visual"] = torch.zeros(2, 1, dtype=torch.bool)
    without = network({"acoustic": WIDTHS["acoustic"]}, shift_context="word")
    without.load_state_dict(
        {k: v for k, v in model.state_dict().items() if k in without.state_dict()}
    )
    expected = without(**(inputs | {"frames": {"acoustic": inputs["frames"]["acoustic"]}})).logits
    torch.testing.assert_close(model(**inputs).logits, expected)


def test_word_context_names_the_segment_that_is_short_of_frames():
    inputs = batch()
    inputs["frame_masks"]["visual"][1, 1:] = False
    with pytest.raises(ConfigError, match="a segment has 4 words and 1 frames"):
        network(shift_context="word")(**inputs)


@pytest.mark.parametrize("context", ["utterance", "word"])
def test_datasets_of_different_widths_go_through_one_network(context):
    model = network(shift_context=context)
    assert model(**batch("mosi")).logits.shape == model(**batch("mosei")).logits.shape


def test_a_dataset_without_a_modality_counts_as_segments_without_it():
    model, inputs = network({"acoustic": {"mosi": 4}, "visual": {"mosei": 3}}), batch()
    del inputs["frames"]["visual"], inputs["frame_masks"]["visual"]
    output = model(**inputs)
    assert output.present["visual"].tolist() == [False, False]
    assert torch.equal(output.embeddings["visual"], torch.zeros(2, 6))


def test_padding_changes_nothing():
    model, inputs = network(), batch()
    before = model(**inputs)
    for key, fill in (("input_ids", 0), ("input_mask", 0), ("word_index", -1)):
        inputs[key] = torch.cat((inputs[key], torch.full((2, 3), fill)), dim=1)
    for m, frames in inputs["frames"].items():
        inputs["frames"][m] = torch.cat((frames, torch.ones(2, 2, frames.size(2))), dim=1)
        inputs["frame_masks"][m] = torch.cat(
            (inputs["frame_masks"][m], torch.zeros(2, 2, dtype=torch.bool)), dim=1
        )
    after = model(**inputs)
    torch.testing.assert_close(after.logits, before.logits, atol=1e-5, rtol=1e-5)
    for m, embedding in before.embeddings.items():
        torch.testing.assert_close(after.embeddings[m], embedding, atol=1e-5, rtol=1e-5)


def test_the_verbal_text_state_knows_nothing_of_the_frames():
    model, inputs = network(text_state="verbal"), batch()
    before = model(**inputs)
    inputs["frames"]["visual"] = inputs["frames"]["visual"] + 3 * torch.randn(1, 4, 1)
    after = model(**inputs)
    assert torch.equal(before.embeddings["text"], after.embeddings["text"])
    assert not torch.equal(before.logits, after.logits)


def ragged_batch(words, missing=(), dataset="mosi"):
    """Return padded segments with these numbers of words, and aligned frames."""
    torch.manual_seed(2)
    size, longest = len(words), max(words)
    counts = torch.tensor(words)[:, None]
    index = torch.arange(-1, longest + 1).expand(size, -1)
    frame_mask = torch.arange(longest + 3) < counts
    masks = {"visual": frame_mask.clone(), "acoustic": frame_mask.clone()}
    for segment, modality in missing:
        masks[modality][segment] = False
    return {
        "input_ids": torch.randint(5, 30, (size, longest + 2)),
        "input_mask": (index <= counts).long(),
        "word_index": torch.where(index < counts, index, -1),
        "frames": {m: torch.randn(*f.shape, WIDTHS[m][dataset]) for m, f in masks.items()},
        "frame_masks": masks,
        "dataset": dataset,
    }


def outputs_and_gradients(model, inputs):
    model.zero_grad()
    output = model(**inputs)
    tensors = {"logits": output.logits, **output.embeddings}
    torch.manual_seed(3)
    sum((torch.randn_like(t) * t).sum() for t in tensors.values()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return tensors, output.present, gradients


@pytest.mark.parametrize("context", ["utterance", "word", "none"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "attention"])
@pytest.mark.parametrize("text_state", ["fused", "verbal"])
def test_groups_of_similar_length_change_no_output_and_no_gradient(
    context, pooling, text_state, monkeypatch
):
    settings = {"shift_context": context, "pooling": pooling, "text_state": text_state}
    inputs = ragged_batch(
        [9, 2, 30, 3, 9, 1], missing=[(0, "visual"), (1, "visual"), (5, "visual")]
    )
    padded = outputs_and_gradients(network(length_groups=1, **settings), inputs)
    for groups in (2, 6):
        grouped = outputs_and_gradients(network(length_groups=groups, **settings), inputs)
        torch.testing.assert_close(grouped, padded, atol=1e-5, rtol=1e-5)
    monkeypatch.setattr(
        "mmf_cmsbert.modules.attention._GROUP_OVERHEAD", 0.0
    )  # as many as there are
    packed = outputs_and_gradients(network(length_groups="packed", **settings), inputs)
    torch.testing.assert_close(packed, padded, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("context", ["utterance", "word"])
@pytest.mark.parametrize("layer", [0, 1])
def test_groups_change_nothing_for_a_backbone_that_cannot_pack(context, layer, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.modules.network._GROUP_OVERHEAD", 0.0)
    settings = {"shift_context": context, "shift_layer": layer, "backbone": ELECTRA}
    inputs = ragged_batch([9, 2, 30, 3], missing=[(0, "visual")])
    padded = outputs_and_gradients(network(length_groups=1, **settings), inputs)
    grouped = outputs_and_gradients(network(length_groups="packed", **settings), inputs)
    torch.testing.assert_close(grouped, padded, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("choice", ["packed", "auto"])
def test_a_packed_backbone_computes_word_pieces_only(choice):
    words = [2] * 15 + [40]  # in two groups, for attention
    packed = network(length_groups=choice)
    assert passes_through_backbone(packed, ragged_batch(words)) == [(1, 15 * 4 + 42)]


@pytest.mark.parametrize(
    ("settings", "pieces"),
    [
        ({"pooling": "cls"}, 16),
        ({"pooling": "cls", "shift_layer": 1}, 16),
        ({"pooling": "cls", "shift_layer": 2}, 102),
        ({"pooling": "mean"}, 102),
        ({"pooling": "attention"}, 102),
    ],
)
def test_the_last_layer_computes_what_is_asked_of_it(settings, pieces):
    words = [2] * 15 + [40]
    inputs, counts = ragged_batch(words, missing=[(3, "visual")]), []
    model = network(length_groups="packed", **settings)
    hook = model.backbone.encoder.layer[1].output.register_forward_hook(
        lambda module, args, output: counts.append(output.size(1))
    )
    packed = outputs_and_gradients(model, inputs)
    hook.remove()
    assert counts == [pieces]
    padded = outputs_and_gradients(network(length_groups=1, **settings), inputs)
    torch.testing.assert_close(packed, padded, atol=1e-5, rtol=1e-5)
    # No hook remains.
    shape = model.backbone(inputs["input_ids"], inputs["input_mask"]).last_hidden_state.shape
    assert shape == (16, 42, 16)


def test_with_dropout_packed_segments_still_know_nothing_of_each_other(monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.modules.attention._GROUP_OVERHEAD", 0.0)
    inputs = ragged_batch([9, 2, 30])
    model = network(length_groups="packed", head_dropout=0.0).train()
    changed = inputs | {"input_ids": inputs["input_ids"].clone()}
    changed["input_ids"][0] = 7
    logits = []
    for each in (inputs, changed):
        torch.manual_seed(4)
        logits.append(model(**each).logits)
    torch.testing.assert_close(logits[0][1:], logits[1][1:])
    assert not torch.allclose(logits[0][0], logits[1][0])


def passes_through_backbone(model, inputs):
    """Record the shape of the word pieces in each pass through the backbone."""
    shapes = []
    hook = model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)),
        with_kwargs=True,
    )
    model(**inputs)
    hook.remove()
    return shapes


@pytest.mark.parametrize(
    ("groups", "words", "shapes"),
    [
        (1, [9, 2, 30], [(3, 32)]),
        (2, [9, 2, 30], [(2, 11), (1, 32)]),
        (3, [9, 2, 30], [(1, 4), (1, 11), (1, 32)]),
        (3, [5, 5, 5], [(3, 7)]),
    ],
)
def test_each_group_is_padded_to_its_own_longest_segment(groups, words, shapes):
    model = network(length_groups=groups)
    assert passes_through_backbone(model, ragged_batch(words)) == shapes


@pytest.mark.parametrize(
    ("words", "shapes"),
    [
        ([9], [(1, 11)]),
        # One long segment among many short ones gets a group, a slightly longer one does not.
        ([2] * 15 + [40], [(15, 4), (1, 42)]),
        ([2] * 15 + [4], [(16, 6)]),
    ],
)
def test_a_backbone_that_cannot_pack_takes_as_many_groups_as_pay(words, shapes):
    model = network(length_groups="auto", backbone=ELECTRA)
    assert passes_through_backbone(model, ragged_batch(words)) == shapes


def test_a_batch_of_equal_lengths_is_not_copied():
    model, inputs = network(length_groups=4), ragged_batch([5, 5, 5])
    seen = []
    model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["input_ids"]), with_kwargs=True
    )
    model(**inputs)
    assert seen[0] is inputs["input_ids"]


def test_frames_that_words_read_are_cut_to_the_longest_of_their_group():
    model, inputs = network(length_groups=2), ragged_batch([2, 3, 30])
    inputs["frame_masks"]["acoustic"][:2] = False
    inputs["frame_masks"]["acoustic"][0, 6] = True  # a mask with a hole
    seen = []
    model.shift.contexts["acoustic"].register_forward_pre_hook(
        lambda module, args: seen.append(args[2].layout.mask.size(1))
    )
    model(**inputs)
    assert seen == [7, 30]


def test_the_averaged_copy_groups_like_the_network():
    inputs = ragged_batch([9, 2, 30, 3])
    padded, grouped = network(length_groups=1), WeightAverage(network(length_groups=3), 0.9)
    torch.testing.assert_close(
        grouped(**inputs).embeddings, padded(**inputs).embeddings, atol=1e-5, rtol=1e-5
    )


def test_groups_of_a_dataset_without_a_modality():
    widths = {"acoustic": {"mosi": 4}, "visual": {"mosei": 3}}
    inputs = ragged_batch([9, 2, 30])
    del inputs["frames"]["visual"], inputs["frame_masks"]["visual"]
    padded = network(widths, length_groups=1)(**inputs)
    grouped = network(widths, length_groups=3)(**inputs)
    torch.testing.assert_close(grouped.logits, padded.logits, atol=1e-5, rtol=1e-5)
    assert grouped.present["visual"].tolist() == [False, False, False]


def test_a_copy_shifts_with_its_own_weights():
    model, inputs = network(), batch()
    before = model(**inputs).logits
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.shift.parameters():
            parameter.normal_()
    assert torch.equal(twin(**inputs).logits, before)
    assert not torch.allclose(model(**inputs).logits, before)


def test_a_head_of_seven_classes_gives_seven_logits():
    assert network(classes=7)(**batch()).logits.shape == (2, 7)


@pytest.mark.parametrize("backbone", [BERT, ELECTRA])
def test_under_autocast_scores_and_embeddings_are_float32_and_close(backbone):
    model, inputs = network(backbone=backbone, pooling="mean"), batch()
    inputs["input_mask"][1, 4:] = 0  # packed, or in groups
    plain = model(**inputs)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model(**inputs)
    close = {"rtol": 0.0, "atol": 0.03}  # bfloat16 has 8 bits
    for name, embedding in mixed.embeddings.items():
        assert embedding.dtype == torch.float32
        torch.testing.assert_close(embedding, plain.embeddings[name], **close)
    torch.testing.assert_close(mixed.logits, plain.logits, **close)
    assert not torch.equal(mixed.logits, plain.logits)
    # not rounded to bfloat16
    assert not torch.equal(mixed.logits, mixed.logits.bfloat16().float())


def test_a_modality_that_a_module_dict_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="has a modality 'values', .* rename the modality"):
        network({"values": {"mosi": 5}})
