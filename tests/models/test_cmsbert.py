"""CMSBERT-CLR as an MMF model: inputs, outputs and errors."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import small_predictor
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.models.cmsbert import CMSBERT

# isort: split
# after mmf_cmsbert, which lets it be imported
from mmf.common.registry import registry
from mmf.common.sample import SampleList
from mmf.utils.build import build_model, build_optimizer

BERT = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
SMALL = {
    "model": "cmsbert",
    "backbone": {"from_config": BERT},
    "features": {"mosi": {"visual": 5, "acoustic": 4}},
    "frames": {"dim": 8, "heads": 2},
}


class Silent:
    """A fake of MMF's log writer."""

    def write(self, *_, **__):
        pass


@pytest.fixture(autouse=True)
def mmf_state():
    """The global state that MMF's model builder reads; restored after the test."""
    registry.register("writer", Silent())
    registry.unregister("mosi_word_processor")  # state of another test's dataset
    registry.register(
        "config",
        OmegaConf.create(
            {
                "evaluation": {"predict": False},
                "datasets": "mosi",
                "dataset_config": {"mosi": {"features": {"visual": 5, "acoustic": 4}}},
            }
        ),
    )
    yield
    for name in ("writer", "config", "mosi_unaligned", "mosi_statistics"):
        registry.unregister(name)


def model_config(**changes):
    defaults = OmegaConf.load(CMSBERT.config_path()).model_config.cmsbert
    return OmegaConf.merge(defaults, SMALL, OmegaConf.create(changes))


def build(**changes):
    torch.manual_seed(0)
    return build_model(model_config(**changes))


def sample_list(size=4):
    torch.manual_seed(1)
    batch = SampleList()
    batch.add_field("input_ids", torch.randint(5, 30, (size, 5)))
    batch.add_field("input_mask", torch.ones(size, 5, dtype=torch.long))
    batch.add_field("word_index", torch.tensor([[-1, 0, 1, 2, -1]] * size))
    for modality, width in (("visual", 5), ("acoustic", 4)):
        batch.add_field(modality, torch.randn(size, 3, width))
        batch.add_field(f"{modality}_mask", torch.ones(size, 3, dtype=torch.bool))
    batch.add_field("targets", torch.tensor([[-2.0], [0.0], [1.0], [3.0]])[:size])
    batch.dataset_name, batch.dataset_type = "mosi", "train"
    return batch


def test_gives_scores_embeddings_and_both_losses():
    output = build()(sample_list())
    assert output["scores"].shape == (4, 1)
    assert {m: tuple(e.shape) for m, e in output["embeddings"].items()} == {
        "text": (4, 128), "visual": (4, 128), "acoustic": (4, 128),
    }  # fmt: skip
    assert set(output["losses"]) == {
        "train/mosi/sentiment_regression",
        "train/mosi/multimodal_contrastive",
    }
    sum(output["losses"].values()).backward()


def test_the_temperature_learns_from_the_contrastive_loss():
    model = build()
    model(sample_list())["losses"]["train/mosi/multimodal_contrastive"].backward()
    assert model.temperature.log.grad.abs() > 0


def test_shifting_by_words_is_refused_on_data_that_is_not_word_aligned():
    registry.register("mosi_unaligned", {"train": None, "val": None})
    build(shift={"context": "word"})
    found = "segment abc[0] has 3 words but 7 visual frames"
    registry.register("mosi_unaligned", {"train": None, "val": found})
    build(shift={"context": "utterance"})
    with pytest.raises(ConfigError, match=r"val split of mosi segment abc\[0\] has 3 words but 7"):
        build(shift={"context": "word"})


@pytest.mark.parametrize("context", ["utterance", "word"])
def test_statistics_of_the_training_split_scale_the_frames_and_are_saved(context):
    shift = {"context": context, "start": "mag"}  # frames have an effect from the first step on
    plain = build(shift=shift).eval()
    generator = np.random.default_rng(0)
    constants = {"visual": (generator.normal(size=5), generator.uniform(0.01, 0.02, 5))}
    registry.register("mosi_statistics", constants)
    scaled = build(shift=shift).eval()
    registry.register("mosi_statistics", {})
    batch = sample_list()
    found = scaled(batch)["scores"]
    mean, scale = (torch.from_numpy(each).float() for each in constants["visual"])
    by_hand = sample_list()
    by_hand.visual = (batch.visual - mean) / scale
    assert not torch.allclose(found, plain(batch)["scores"])
    assert torch.allclose(found, plain(by_hand)["scores"], atol=1e-6)
    # A loaded model scales as in training, without the training split.
    loaded = build(shift=shift).eval()
    loaded.load_state_dict(scaled.state_dict())
    assert torch.equal(loaded(batch)["scores"], found)


def train_steps(model, steps):
    config = OmegaConf.create({"optimizer": {"type": "AdamW", "params": {"lr": 0.01}}})
    optimizer = build_optimizer(model, config)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        sum(model(sample_list())["losses"].values()).backward()
        optimizer.step()
    return optimizer


def test_in_evaluation_it_computes_with_the_average_which_each_update_moves():
    model = build(ema={"decay": 0.5})
    train_steps(model, 2)
    model.eval()
    by_average = model(sample_list())["scores"]
    model.ema.module.load_state_dict(model.network.state_dict())
    assert not torch.allclose(by_average, model(sample_list())["scores"])
    assert int(model.ema.n_averaged) == 3  # the initial copy, and two updates


def test_the_average_is_what_the_formula_says_after_each_update():
    model = build(ema={"decay": 0.5})
    weight = model.network.head.weight
    expected = weight.detach().clone()
    config = OmegaConf.create({"optimizer": {"type": "SGD", "params": {"lr": 0.1}}})
    optimizer = build_optimizer(model, config)
    for t in range(4):
        optimizer.zero_grad()
        model(sample_list())["losses"]["train/mosi/sentiment_regression"].backward()
        optimizer.step()
        keep = min(0.5, (1 + t) / (10 + t))
        expected = keep * expected + (1 - keep) * weight.detach()
    torch.testing.assert_close(model.ema.module.head.weight, expected)


def test_without_ema_it_computes_with_its_own_weights():
    model = build(ema={"enabled": False})
    assert not any(name.startswith("ema.") for name in model.state_dict())
    assert model.eval()(sample_list())["scores"].shape == (4, 1)


def test_ema_targets_are_the_averages_embeddings_without_gradient():
    model = build(contrastive={"ema_targets": True})
    targets = model.train()(sample_list())["embedding_targets"]
    expected = model.ema(**model._inputs(sample_list())).embeddings
    for modality, embedding in targets.items():
        assert not embedding.requires_grad
        torch.testing.assert_close(embedding, expected[modality])


def test_optimizer_groups_hold_each_trained_weight_once_and_no_average():
    model = build(finetune_lr_multiplier=0.1, shift={"start": "mag"})
    optimizer = train_steps(model, 0)
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    trained = {id(p) for n, p in model.named_parameters() if not n.startswith("ema.")}
    assert len(held) == len(set(held)) and set(held) == trained
    norm = id(model.network.shift.norm.weight)
    backbone = id(model.network.backbone.embeddings.word_embeddings.weight)
    for group in optimizer.param_groups:
        ids = {id(p) for p in group["params"]}
        if norm in ids:
            assert group["weight_decay"] == 0.0 and group["lr"] == 0.01
        if backbone in ids:
            assert group["weight_decay"] > 0 and group["lr"] == pytest.approx(0.001)


def test_a_multiplier_of_zero_freezes_the_backbone_and_nothing_else():
    model = build(finetune_lr_multiplier=0, shift={"context": "word", "layer": 1})
    before = {name: p.clone() for name, p in model.network.named_parameters()}
    optimizer = train_steps(model, 3)
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    changed = set()
    for name, parameter in model.network.named_parameters():
        if name.startswith("backbone."):
            assert not parameter.requires_grad and parameter.grad is None, name
            assert id(parameter) not in held and parameter not in optimizer.state
        else:
            assert parameter.requires_grad and id(parameter) in held, name
        if not torch.equal(parameter, before[name]):
            changed.add(name.partition(".")[0])
    assert "backbone" not in changed and {"shift", "head", "projections"} <= changed


def test_a_frozen_backbone_is_in_memory_once_and_its_average_is_itself():
    model = build(finetune_lr_multiplier=0)
    train_steps(model, 2)
    state = model.state_dict()
    for name in (name for name in state if name.startswith("network.")):
        average = state[name.replace("network.", "ema.module.", 1)]
        shared = average.data_ptr() == state[name].data_ptr()
        assert shared == (name in frozen_names(model)), name
    # the average of the other weights is updated, and a copy of the model is independent
    assert not torch.equal(state["network.head.weight"], state["ema.module.head.weight"])
    copied = copy.deepcopy(model)
    weight = copied.network.backbone.embeddings.word_embeddings.weight
    assert weight is copied.ema.module.backbone.embeddings.word_embeddings.weight
    assert weight is not model.network.backbone.embeddings.word_embeddings.weight


def frozen_names(model):
    parameters = model.network.named_parameters()
    return {f"network.{name}" for name, p in parameters if not p.requires_grad}


def test_the_average_of_a_backbone_that_was_trained_stays_its_own_where_it_is_frozen_now():
    trained = build()
    train_steps(trained, 3)
    model = build(finetune_lr_multiplier=0)
    model.load_state_dict(trained.state_dict())
    for name, value in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    trained.eval(), model.eval()
    torch.testing.assert_close(
        model(sample_list())["scores"], trained(sample_list())["scores"], rtol=0, atol=0
    )


@pytest.mark.parametrize("multiplier", [-1, "half", True, float("nan")])
def test_a_multiplier_below_zero_or_no_number_is_refused(multiplier):
    with pytest.raises(ConfigError, match="finetune_lr_multiplier is .* at least 0"):
        build(finetune_lr_multiplier=multiplier)


@pytest.mark.parametrize(
    ("kind", "positions"), [("bert", 16), ("roberta", 14), ("mpnet", 14), ("distilbert", 16)]
)
def test_segments_longer_than_the_backbones_positions_are_refused(kind, positions):
    backbone = {**BERT, "model_type": kind, "max_position_embeddings": 16}
    for length in (positions, positions + 1):
        registry.register("mosi_word_processor", SimpleNamespace(max_seq_length=length))
        if length == positions:
            build(backbone={"from_config": backbone})
            continue
        with pytest.raises(ConfigError, match=f"max_seq_length is {length}, .*{positions}"):
            build(backbone={"from_config": backbone})
    registry.unregister("mosi_word_processor")


@pytest.mark.parametrize(
    ("classes", "values"), [(7, {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0}), (2, None)]
)
def test_a_classifying_head_gives_logits_and_a_sentiment_that_stands_for_them(classes, values):
    losses = [{"type": "sentiment_classification", "params": {"label_smoothing": 0.1}}]
    model = build(head={"classes": classes}, losses=losses)
    output = model(sample_list())
    assert output["logits"].shape == (4, classes)
    winner = output["logits"].argmax(-1)
    if values:
        assert (output["scores"].squeeze(1) == winner - 3).all()
    else:
        assert ((output["scores"].squeeze(1) > 0) == (winner == 1)).all()
    output["losses"]["train/mosi/sentiment_classification"].backward()


@pytest.mark.parametrize(
    ("classes", "losses"),
    [(7, None), (None, [{"type": "sentiment_classification"}]), (2, ["sentiment_regression"])],
)
def test_a_loss_that_cannot_train_the_head_is_refused(classes, losses):
    changes = {"head": {"classes": classes}} | ({"losses": losses} if losses else {})
    with pytest.raises(
        ConfigError, match=f"head.classes is {classes}.*model_config.cmsbert.losses="
    ):
        build(**changes)


def test_a_copy_follows_its_own_updates():
    model = copy.deepcopy(build(ema={"decay": 0.5}))
    train_steps(model, 2)
    assert int(model.ema.n_averaged) == 3


def test_a_batch_of_a_dataset_that_it_was_not_built_for_is_refused():
    batch = sample_list()
    batch.dataset_name = "mosei"
    with pytest.raises(ConfigError, match="built for mosi and got a batch of mosei"):
        build()(batch)


def test_word_pieces_that_the_backbone_does_not_have_are_refused():
    registry.register("mosi_word_processor", SimpleNamespace(vocabulary_size=31))
    try:
        with pytest.raises(ConfigError, match="mosi has 31 word pieces and the backbone 30"):
            build()
    finally:
        registry.unregister("mosi_word_processor")


def test_a_saved_configuration_knows_what_the_model_was_built_for():
    model = build(features=None)
    saved = OmegaConf.to_container(model.config)
    registry.register("config", OmegaConf.create({"evaluation": {"predict": False}}))
    again = CMSBERT(OmegaConf.create(saved))
    again.build()
    again.load_state_dict(model.state_dict())
    assert again.widths == {"visual": {"mosi": 5}, "acoustic": {"mosi": 4}}


def test_widths_come_from_the_datasets_in_use_where_none_are_given():
    assert build(features=None).widths == {"visual": {"mosi": 5}, "acoustic": {"mosi": 4}}


@pytest.mark.parametrize(
    ("modalities", "kept", "pairs"),
    [
        (["text", "visual"], {"visual"}, [["text", "visual"]]),
        (["acoustic"], {"acoustic"}, [["text", "acoustic"]]),
        (["text"], set(), []),
    ],
)
def test_modalities_that_are_switched_off_leave_shift_and_pairs(modalities, kept, pairs):
    model = build(modalities=modalities)
    output = model(sample_list())
    assert set(output["embeddings"]) == {"text", *kept}
    assert output["contrastive_pairs"] == pairs
    assert torch.isfinite(sum(output["losses"].values()))


def test_weights_survive_a_round_trip_bit_for_bit():
    model, twin = build(), build()
    train_steps(model, 2)
    twin.load_state_dict(model.state_dict())
    batch = sample_list()
    assert torch.equal(model.eval()(batch)["scores"], twin.eval()(batch)["scores"])


@pytest.mark.parametrize(
    "other", [{"ema": {"enabled": False}}, {"frames": {"dim": 16}}, {"shift": {"context": "word"}}]
)
def test_weights_of_other_settings_are_refused_rather_than_loaded_in_part(other):
    with pytest.raises(ConfigError, match="do not fit this model"):
        build().load_state_dict(build(**other).state_dict(), strict=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shfit": {"context": "word"}}, "Did you mean model_config.cmsbert.shift"),
        ({"shift": {"contxt": "word"}}, "Did you mean model_config.cmsbert.shift.context"),
        ({"shift": {"context": "sentence"}}, "expected one of utterance, word, none"),
        ({"shift": {"layer": 2}}, "from 0 .* to 1"),
        ({"modalities": ["text", "smell"]}, "modalities names 'smell'"),
        ({"contrastive": {"pairs": [["text", "text"]]}}, "expected pairs of modalities"),
        ({"contrastive": {"temperature": 2.0}}, "temperature is 2.0"),
        ({"contrastive": {"ema_targets": True}, "ema": {"enabled": False}}, "ema.enabled=true"),
        ({"contrastive": {"temperature_range": 0.1}}, "temperature_range is 0.1"),
        ({"contrastive": {"learn_temperature": "yes"}}, "learn_temperature is 'yes'"),
        ({"contrastive": {"ema_targets": "foo"}}, "ema_targets is 'foo'"),
        ({"features": {"mosi": {"label": 5}}}, "features names a modality 'label'"),
        ({"features": {"mosi": {"visual": "5"}}}, "features.mosi.visual is '5'"),
        ({"losses": None}, "losses is None"),
        ({"ema": {"enabled": "fasle"}}, "ema.enabled is 'fasle'"),
        ({"ema": {"decay": 1.5}}, "ema.decay is 1.5"),
        ({"losses": [{"type": "sentiment_regression", "params": {"kind": "l3"}}]}, "l3"),
    ],
)
def test_unknown_keys_and_values_are_refused_by_name(changes, message):
    with pytest.raises(ConfigError, match=message):
        build(**changes)


def test_an_exported_model_is_loaded_by_its_folder(tmp_path):
    exported = small_predictor.made()
    exported.save_pretrained(tmp_path / "model")
    model = CMSBERT.from_pretrained(tmp_path / "model")
    batch = sample_list()
    given = {name: batch[name] for name in ("input_ids", "input_mask", "word_index")}
    frames = {m: batch[m] for m in ("visual", "acoustic")}
    masks = {m: batch[f"{m}_mask"] for m in frames}
    expected = exported.network(**given, frames=frames, frame_masks=masks, dataset="mosi")
    with torch.no_grad():
        torch.testing.assert_close(model(batch)["scores"], expected.logits, atol=1e-6, rtol=0)
    assert not model.training


def test_a_folder_without_an_exported_model_is_named(tmp_path):
    with pytest.raises(ConfigError, match="holds no exported model"):
        CMSBERT.from_pretrained(tmp_path)


def test_diagnostics_are_those_of_the_batch_and_change_nothing():
    model, batch = build().train(), sample_list()
    report = {**batch, "dataset_name": "mosi", **model(batch)}
    weights = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    found = model.diagnostics(report)
    assert torch.equal(torch.get_rng_state(), state) and model.network.shift.training
    assert all(torch.equal(weights[name], each) for name, each in model.state_dict().items())
    text, visual = (report["embeddings"][name] for name in ("text", "visual"))
    assert found["alignment/text-visual/cosine"] == pytest.approx(
        (text * visual).sum(-1).mean().item(), abs=1e-6
    )
    assert found["temperature"] == pytest.approx(0.07)
    assert found["shift/total"] == 0 and found["shift/visual"] == 0, "it starts as the identity"
    assert found["gate/visual"] > 0 and found["gate/acoustic"] > 0
    assert model.diagnostics(report) == found


def test_without_a_shift_there_are_no_gates_among_the_diagnostics():
    model, batch = build(shift={"context": "none"}), sample_list()
    found = model.diagnostics({**batch, "dataset_name": "mosi", **model(batch)})
    assert not [name for name in found if name.startswith(("shift", "gate"))]
    assert "alignment/text-acoustic/match" in found


def test_a_third_modality_shifts_words_and_is_aligned():
    model = build(features={"mosi": {"gaze": 3}}, contrastive={"pairs": [["text", "gaze"]]})
    assert model.network.modalities == ("visual", "acoustic", "gaze")
    batch = sample_list()
    batch.add_field("gaze", torch.randn(4, 2, 3, requires_grad=True))
    batch.add_field("gaze_mask", torch.ones(4, 2, dtype=torch.bool))
    output = model.train()(batch)
    assert output["embeddings"]["gaze"].shape == (4, 128)
    assert output["contrastive_pairs"] == [["text", "gaze"]]
    names = [name for name, _ in model.network.named_parameters()]
    assert [n for n in names if "gaze" in n] and build().network.state_dict().keys() < set(
        model.network.state_dict()
    )


def test_by_default_text_is_aligned_with_every_modality():
    assert build(features={"mosi": {"gaze": 3}}).pairs == [
        ["text", "visual"],
        ["text", "acoustic"],
        ["text", "gaze"],
    ]
    assert build(features={"mosi": {"acoustic": None}}).pairs == [["text", "visual"]]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"modalities": ["text", "gase"]}, "modalities names 'gase'.*expected some of text, visu"),
        ({"contrastive": {"pairs": [["text", "gase"]]}}, "contrastive.pairs names 'gase'"),
        ({"features": {"mosi": {"train": 3}}}, "has a modality 'train'.*rename the modality"),
    ],
)
def test_a_modality_that_no_dataset_has_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        build(**changes)
