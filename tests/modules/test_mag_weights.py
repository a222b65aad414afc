"""``shift.context=word`` with MAG-BERT's weights, against an implementation of MAG-BERT in torch.

The reference computes in float64; it uses nothing of this package and nothing of transformers.
"""

import numpy as np
import pytest
import torch
from mag_bert_reference import CLS, PAD, SEP, mag_bert, official_shapes, published_inputs
from network_configs import network_config

from mmf_cmsbert.datasets.batching import pad_frames, pad_pieces
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.modules.mag_weights import load_mag_weights, mag_parameters
from mmf_cmsbert.modules.network import SentimentNetwork

SMALL = {
    "vocab_size": 60,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
}
VISUAL, ACOUSTIC = 5, 4
# The parts of MAG-BERT's code in our network.
PLACES = {
    "bert.MAG.W_hv": "shift.gates.visual.maps.mosi",
    "bert.MAG.W_ha": "shift.gates.acoustic.maps.mosi",
    "bert.MAG.W_v": "shift.values.visual.maps.mosi",
    "bert.MAG.W_a": "shift.values.acoustic.maps.mosi",
    "bert.MAG.LayerNorm": "shift.norm",
    "bert.": "backbone.",
    "classifier": "head",
}


def our_name(name):
    prefix = next(prefix for prefix in PLACES if name.startswith(prefix))
    return PLACES[prefix] + name[len(prefix) :]


def official_state(bert=SMALL, visual=VISUAL, acoustic=ACOUSTIC, scale=0.3):
    """Return random weights in float32 with norms around 1."""
    torch.manual_seed(0)
    return {
        name: scale * torch.randn(shape) + float(name.endswith("LayerNorm.weight"))
        for name, shape in official_shapes(bert, visual, acoustic).items()
    }


def make_segments(pieces_of_words, vocabulary, visual=VISUAL, acoustic=ACOUSTIC):
    """Return segments with the given numbers of word pieces per word, and a frame per word."""
    draw = np.random.default_rng(1)
    return [
        {
            "pieces": [draw.integers(5, vocabulary, count).tolist() for count in counts],
            "visual": draw.normal(size=(len(counts), visual)).astype(np.float32),
            "acoustic": draw.normal(size=(len(counts), acoustic)).astype(np.float32),
        }
        for counts in pieces_of_words
    ]


def small_segments():
    # Segments of different lengths, with words of several pieces, and a word without a piece.
    segments = make_segments([[1, 3, 1], [1], [2, 1, 0, 1, 4, 1] * 3, [1, 1], [5, 2, 1]], 60)
    segments[3]["visual"][:] = 0.0  # frames of zeros
    return segments


LABELS = torch.tensor([[1.8], [-2.4], [0.0], [0.6], [-3.0]])


def our_inputs(segments, dtype):
    """Return the same segments as from our datasets: padded, with a frame per word."""
    ids = [np.array([CLS, *sum(s["pieces"], []), SEP]) for s in segments]
    index = [
        np.array([-1, *(i for i, word in enumerate(s["pieces"]) for _ in word), -1])
        for s in segments
    ]
    pieces = pad_pieces(ids, index, PAD)
    frames = {
        "visual": pad_frames([s["visual"] for s in segments], segments[0]["visual"].shape[1]),
        "acoustic": pad_frames([s["acoustic"] for s in segments], segments[0]["acoustic"].shape[1]),
    }
    return {
        "input_ids": pieces["input_ids"],
        "input_mask": pieces["input_mask"],
        "word_index": pieces["word_index"],
        "frames": {m: each.to(dtype) for m, (each, _) in frames.items()},
        "frame_masks": {m: mask for m, (_, mask) in frames.items()},
        "dataset": "mosi",
    }


def network(bert=SMALL, visual=VISUAL, acoustic=ACOUSTIC, **settings):
    settings = {"shift_context": "word", "frame_dim": 8, "frame_heads": 2} | settings
    widths = {"visual": {"mosi": visual, "mosei": 3}, "acoustic": {"mosi": acoustic, "mosei": 3}}
    backbone = load_backbone(from_config={"model_type": "bert", **bert})
    return SentimentNetwork(backbone, widths, network_config(**settings)).eval()


def with_weights(state, dtype=torch.float32, **settings):
    model = network(**settings).to(dtype)
    load_mag_weights(model, state, "mosi")
    return model


def reference(state, segments, bert=SMALL, beta=1.0):
    """Return the reference's logits and states, and its weights as leaves in float64."""
    weights = {name: weight.double().requires_grad_() for name, weight in state.items()}
    logits, states = mag_bert(weights, bert, *published_inputs(segments), beta)
    return logits, states, weights


def assert_gradients_equal(model, weights, tolerance):
    """Compare the gradients of all weights; other weights of our network must have none."""
    ours = dict(model.named_parameters())
    for name, weight in weights.items():
        gradient = ours.pop(our_name(name)).grad.double()
        torch.testing.assert_close(
            gradient, weight.grad, atol=tolerance, rtol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )
    assert [name for name, parameter in ours.items() if parameter.grad is not None] == []


def assert_equal_to_reference(model, state, segments, labels, tolerance, bert=SMALL, beta=1.0):
    expected, _, weights = reference(state, segments, bert, beta)
    torch.nn.functional.mse_loss(expected, labels.double()).backward()
    dtype = model.head.weight.dtype
    logits = model(**our_inputs(segments, dtype)).logits
    torch.testing.assert_close(logits.double(), expected, atol=tolerance, rtol=tolerance)
    torch.nn.functional.mse_loss(logits, labels.to(dtype)).backward()
    assert_gradients_equal(model, weights, tolerance)


PRECISION = [(torch.float32, 1e-5), (torch.float64, 1e-11)]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISION)
@pytest.mark.parametrize("groups", [1, 3, "auto"])
@pytest.mark.parametrize("beta", [0.05, 1.0, 50.0])  # shifts limited always, sometimes, never
def test_outputs_and_gradients_are_mag_berts(dtype, tolerance, groups, beta):
    state = official_state()
    model = with_weights(state, dtype, length_groups=groups, shift_beta=beta)
    assert_equal_to_reference(model, state, small_segments(), LABELS, tolerance, beta=beta)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISION)
def test_every_state_on_the_way_is_mag_berts(dtype, tolerance):
    state, segments = official_state(), small_segments()
    model, seen = with_weights(state, dtype, length_groups=1), []
    backbone = model.backbone
    backbone.embeddings.register_forward_hook(lambda _, __, output: seen.append(output))
    backbone.encoder.layer[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for part in (*backbone.encoder.layer, backbone.pooler):
        part.register_forward_hook(lambda _, __, output: seen.append(output))
    inputs = our_inputs(segments, dtype)
    model(**inputs)
    _, expected, _ = reference(state, segments)
    pieces = inputs["input_mask"].bool()
    assert len(seen) == len(expected) == 6
    for ours, theirs in zip(seen, expected, strict=True):
        if theirs.ndim == 3:  # padding is arbitrary
            ours, theirs = ours[pieces], theirs[:, : pieces.size(1)][pieces]
        torch.testing.assert_close(ours.double(), theirs, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISION)
def test_a_shift_of_length_zero_is_mag_berts(dtype, tolerance):
    # New weights of MAG-BERT have zero biases, so [CLS] and [SEP] are not shifted.
    state = official_state()
    for name in ("W_v", "W_a"):
        state[f"bert.MAG.{name}.bias"].zero_()
    # With so small a beta, counting the length as 1 limits the shift; as 0 it would not.
    model = with_weights(state, dtype, shift_beta=0.05)
    assert_equal_to_reference(model, state, small_segments(), LABELS, tolerance, beta=0.05)


def test_the_shifted_states_are_dropped_out_after_their_norm():
    state, segments = official_state(), small_segments()
    model, seen = with_weights(state, torch.float64, length_groups=1, shift_dropout=0.5), []
    model.shift.train()
    model.backbone.encoder.layer[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    inputs = our_inputs(segments, torch.float64)
    model(**inputs)
    pieces = inputs["input_mask"].bool()
    kept = seen[0][pieces]
    expected = 2 * reference(state, segments)[1][1][:, : pieces.size(1)][pieces]
    assert 0.4 < (kept == 0).double().mean() < 0.6
    torch.testing.assert_close(kept, torch.where(kept == 0, 0.0, expected))


def test_a_segment_without_a_modality_lacks_the_bias_that_mag_bert_adds_for_frames_of_zeros():
    state, segments = official_state(), small_segments()[:1]
    zeros = [segments[0] | {"visual": 0 * segments[0]["visual"]}]
    without = [segments[0] | {"visual": segments[0]["visual"][:0]}]
    ours = with_weights(state, torch.float64)(**our_inputs(without, torch.float64)).logits
    assert (ours - reference(state, zeros)[0]).abs() > 1e-3
    state["bert.MAG.W_v.bias"].zero_()
    torch.testing.assert_close(ours, reference(state, zeros)[0])


@pytest.mark.slow
def test_in_berts_own_size_outputs_and_gradients_are_mag_berts():
    bert = {
        "vocab_size": 30522,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "max_position_embeddings": 512,
    }
    widths = {"visual": 47, "acoustic": 74}
    state = official_state(bert, scale=0.02, **widths)  # as BERT's weights are initialised
    segments = make_segments([[1, 2, 1], [1] * 12, [2, 1, 3] * 7], 30522, **widths)
    model = with_weights(state, bert=bert, **widths)
    assert_equal_to_reference(model, state, segments, LABELS[:3], 1e-5, bert)


# Loading.


def test_frames_are_taken_as_they_come():
    model, state = network(), official_state()
    for modality, width in (("visual", VISUAL), ("acoustic", ACOUSTIC)):
        model.frame_scales[modality].set("mosi", torch.ones(width), torch.full((width,), 9.0))
    load_mag_weights(model, state, "mosi")
    assert_equal_to_reference(model, state, small_segments(), LABELS, 1e-5)


def test_what_the_contrastive_loss_alone_trains_and_other_datasets_keep_their_weights():
    model, state = network(), official_state()
    before = {name: p.clone() for name, p in model.named_parameters()}
    load_mag_weights(model, state, "mosi")
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed == {our_name(name) for name in official_shapes(SMALL, VISUAL, ACOUSTIC)}
    parameters = mag_parameters(model, "mosi")
    assert parameters.keys() == official_shapes(SMALL, VISUAL, ACOUSTIC).keys()
    assert all(torch.equal(parameters[name], state[name]) for name in parameters)


def test_positions_that_were_saved_with_the_weights_do_no_harm():
    state = official_state()
    model = with_weights(state | {"bert.embeddings.position_ids": torch.arange(64)[None]})
    assert torch.equal(model.head.weight, state["classifier.weight"])


def without_gate(state):
    return {name: weight for name, weight in state.items() if "MAG.W_hv" not in name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_gate, r"missing: bert\.MAG\.W_hv\.weight and 1 more\. "),
        (lambda s: s | {"bert.MAG.W_x.bias": torch.ones(2)}, r"unexpected: bert\.MAG\.W_x\.bias\."),
        (
            lambda s: official_state(visual=35),
            r"of another shape: bert\.MAG\.W_hv\.weight \(24, 59\), expected \(24, 29\) and 1 more"
            r"\. The network has 5 visual and 4 acoustic columns.*features\.mosi",
        ),
        (lambda s: official_state(SMALL | {"num_hidden_layers": 2}), r"layer\.2\..* and 15 more"),
        (lambda s: s | {"classifier.bias": [0.0]}, r"classifier\.bias list, expected \(1,\)"),
        (lambda s: {"model_state_dict": s}, "unexpected: model_state_dict"),
        (lambda s: list(s), "weights are a list; expected its state dict"),
    ],
)
def test_weights_that_do_not_fit_are_named_and_change_nothing(change, message):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ConfigError, match=message):
        load_mag_weights(model, change(official_state()), "mosi")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shift_context": "utterance"}, "type model_config.cmsbert.shift.context=word"),
        ({"shift_layer": 1}, "shift.layer is 1, .*type model_config.cmsbert.shift.layer=0"),
        ({"shift_start": "identity"}, "type model_config.cmsbert.shift.start=mag"),
        ({"pooling": "mean"}, "type model_config.cmsbert.backbone.pooling=cls"),
    ],
)
def test_a_network_that_is_not_mag_bert_says_which_setting_to_change(settings, message):
    with pytest.raises(ConfigError, match=message):
        with_weights(official_state(), **settings)


def test_a_network_without_the_datasets_frames_says_so():
    with pytest.raises(ConfigError, match="without visual frames of iemocap.*features.iemocap"):
        load_mag_weights(network(), official_state(), "iemocap")
    alone = SentimentNetwork(
        load_backbone(from_config={"model_type": "bert", **SMALL}),
        {"acoustic": {"mosi": ACOUSTIC}},
        network_config(shift_context="word"),
    )
    with pytest.raises(ConfigError, match="without visual frames of mosi"):
        load_mag_weights(alone, official_state(), "mosi")
