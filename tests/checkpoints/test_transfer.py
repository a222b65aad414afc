"""Weights of a model for other targets and widths."""

import pytest
import small_predictor
import torch

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)
from mmf_cmsbert.checkpoints import model_folder
from mmf_cmsbert.checkpoints.transfer import whole_parts, with_own_heads
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.trained import heads

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.registry import registry
from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.models.cmsbert import CMSBERT
from mmf_cmsbert.trainers import loaded_weights

SENTIMENT = {"kind": "regression", "low": -3, "high": 3}
EMOTION = {"kind": "classes", "names": ["neutral", "joy"]}


def heads_taken(kept, own, **head):
    """The heads of an own model that a checkpoint's heads give, each by the checkpoint's name."""
    theirs = CMSBERTConfig.model_validate({"targets": {"a": kept}}).heads()
    places = ["network.head", *(f"network.heads.{name}" for name in list(theirs)[1:])]
    state = {f"{place}.weight": place for place in places} | {"network.backbone.x": "x"}
    config = {
        "model": "cmsbert",
        "dataset": "a",
        "model_config": {"cmsbert": {"head": head}},
        "dataset_config": {"a": {"targets": kept}},
    }
    settings = CMSBERTConfig.model_validate({"targets": {"b": own}})
    found = with_own_heads(state, heads(config), settings)
    assert found.pop("network.backbone.x") == "x"
    return {name.removesuffix(".weight"): place for name, place in found.items()}


def test_a_head_follows_its_target():
    kept = {"sentiment": SENTIMENT, "emotion": EMOTION}
    assert heads_taken(kept, {"emotion": EMOTION, "sentiment": SENTIMENT}) == {
        "network.head": "network.heads.emotion",
        "network.heads.sentiment": "network.head",
    }
    assert heads_taken(None, {"sentiment": SENTIMENT}) == {"network.head": "network.head"}


@pytest.mark.parametrize(
    ("own", "head"),
    [
        ({"arousal": SENTIMENT}, {}),
        ({"sentiment": SENTIMENT | {"low": -1, "high": 1}}, {}),
        ({"sentiment": SENTIMENT}, {"classes": 2}),
    ],
)
def test_a_head_of_another_meaning_is_not_taken(own, head):
    assert heads_taken(None, own, **head) == {}


def test_parts_are_named_as_shortly_as_they_can_be():
    names = ["a.b.x", "a.b.y", "a.z", "c.x"]
    assert whole_parts(names, names) == ["a", "c"]
    assert whole_parts({"a.b.x", "a.z"}, names) == ["a.b.x", "a.z"]


@pytest.fixture
def model(monkeypatch):
    """A model for other targets and widths than the small predictor's, and what is logged."""
    config = {"datasets": "other", "dataset_config": {}, "evaluation": {"predict": False}}
    monkeypatch.setattr(mmf_log, "write", lambda text, *_: lines.append(text))
    lines: list[str] = []
    before = registry.get("config", no_warning=True)
    registry.register("config", OmegaConf.create(config))
    given = model_folder.to_build(small_predictor.made().config) | {
        "model": "cmsbert",
        "features": {"other": {"visual": 7, "acoustic": 4}},
        "targets": {"other": {"emotion": EMOTION, "sentiment": SENTIMENT}},
    }
    torch.manual_seed(5)
    made = CMSBERT(OmegaConf.create(given))
    made.build()
    yield made, lines
    registry.register("config", before)


def test_a_model_for_another_corpus_keeps_what_fits_and_one_line_says_what(model, tmp_path):
    (built, lines), source = model, small_predictor.made()
    source.save_pretrained(tmp_path / "model")
    state = model_folder.as_checkpoint(tmp_path / "model")["model"]
    before = {name: each.clone() for name, each in built.state_dict().items()}
    options = {
        "resume_file": str(tmp_path / "model"),
        "resume_pretrained": True,
        "pretrained_state_mapping": {"network": "network"},
    }
    loaded_weights.copy_parts(built, OmegaConf.create(options), state)
    now = built.state_dict()
    for name in before:
        if name.startswith(("network.backbone.", "network.shift.", "network.projections.")):
            assert torch.equal(now[name], state[name]), name
    assert torch.equal(now["network.heads.sentiment.weight"], state["network.head.weight"])
    anew = ("network.head.", "network.frame_encoders.visual.project.")
    assert all(torch.equal(now[n], before[n]) for n in before if n.startswith(anew))
    # The average starts at the loaded weights.
    assert torch.equal(now["ema.module.heads.sentiment.weight"], state["network.head.weight"])
    (line,) = lines
    loaded, started = line.split(". Loaded: ")[1].split(". Start anew: ")
    assert {"network.backbone", "network.shift", "network.heads"} <= set(loaded.split(", "))
    assert set(started.split(", ")) == {
        "network.frame_encoders.acoustic.project",
        "network.frame_encoders.visual.project",
        "network.frame_scales",
        "network.head",
    }
