"""Each shipped ablation changes only its keys, with every base."""

import re
from functools import cache

import pytest

from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.paths import PACKAGE
from mmf_cmsbert.records import record

PROJECT = PACKAGE / "projects" / "cmsbert"
FOLDER = PROJECT / "ablations"
TEXT, VISUAL, ACOUSTIC = "text", "visual", "acoustic"
SMOOTHING = "losses[1].params.label_smoothing"
WORD = {"shift.context": "word", "/dataset_config.mosi.single_frame": "every_word"}
# The keys below model_config.cmsbert that each recipe changes.
CHANGES = {
    "cms_clr": {},
    "text_only": {"modalities": [TEXT]},
    "clr_only": {"shift.context": "none"},
    "mag": WORD,
    "mag_bert": {
        **WORD,
        "shift.start": "mag",
        "contrastive.pairs": [],
        "ema.enabled": False,
        "losses[0].params.kind": "mse",
        "losses[1].type": None,
        "losses[1].params.weight": None,
        SMOOTHING: None,
        "/optimizer.params.eps": 1e-6,
        "/training.clip_gradients": False,
    },
    "cms": {"contrastive.pairs": []},
    "no_ema": {"ema.enabled": False},
    "ema_targets": {"contrastive.ema_targets": True},
    "no_label_smoothing": {SMOOTHING: 0},
    "label_smoothing_0.05": {SMOOTHING: 0.05},
    "label_smoothing_0.2": {SMOOTHING: 0.2},
    "label_smoothing_0.3": {SMOOTHING: 0.3},
    "pairs_tv": {"contrastive.pairs": [[TEXT, VISUAL]]},
    "pairs_ta": {"contrastive.pairs": [[TEXT, ACOUSTIC]]},
    "pairs_va": {"contrastive.pairs": [[VISUAL, ACOUSTIC]]},
    "pairs_all": {"contrastive.pairs": [[TEXT, VISUAL], [TEXT, ACOUSTIC], [VISUAL, ACOUSTIC]]},
    "visual_alone": {"modalities": [TEXT, VISUAL]},
    "acoustic_alone": {"modalities": [TEXT, ACOUSTIC]},
    "gate_sigmoid": {"shift.gate": "sigmoid"},
    "start_mag": {"shift.start": "mag"},
    "shift_dropout_0.5": {},  # only mosi.yaml has these two
    "pooling_cls": {},
    "start_identity": {"shift.start": "identity"},
    "shift_dropout_0.1": {"shift.dropout": 0.1},
    "pooling_mean": {"backbone.pooling": "mean"},
    "pooling_attention": {"backbone.pooling": "attention"},
    "text_state_verbal": {"contrastive.text_state": "verbal"},
    "frame_layers_0": {"frames.layers": 0},
    "frame_layers_2": {"frames.layers": 2},
    "ema_decay_0.9": {"ema.decay": 0.9},
    "ema_decay_0.999": {"ema.decay": 0.999},
    "ema_cold": {"ema.warm_up": False},
}
CHANGES |= {f"layer_{layer}": {"shift.layer": layer} for layer in (1, 2, 3, 6, 12)}
CHANGES |= {f"alignment_weight_{w}": {"losses[1].params.weight": w} for w in (0.01, 0.03, 0.3)}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@cache
def configuration(file):
    return dict(record.flat(complete({"config": str(file)}).resolved()))


def test_every_shipped_file_is_known_here():
    assert {recipe.name_of(file) for file in FOLDER.glob("*.yaml")} == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_recipe_changes_what_it_says_and_nothing_else(name):
    check(name, PROJECT / "mosi.yaml", FOLDER / f"{name}.yaml")


@pytest.mark.parametrize("name", ["text_only", "mag_bert", "no_label_smoothing"])
def test_and_so_it_does_over_another_base(name, tmp_path):
    base = PROJECT / "demo.yaml"
    check(name, base, recipe.over(FOLDER / f"{name}.yaml", base, tmp_path / f"{name}.yaml"))


def test_what_mosi_has_is_put_back_where_another_base_has_it_not(tmp_path):
    base = tmp_path / "other.yaml"
    base.write_text(
        f"includes: [{PROJECT / 'mosi.yaml'}]\n"
        "model_config: {cmsbert: {shift: {start: identity, dropout: 0.1}, "
        "backbone: {pooling: mean}}}\n"
    )
    for name, (key, value) in {
        "start_mag": ("shift.start", "mag"),
        "shift_dropout_0.5": ("shift.dropout", 0.5),
        "pooling_cls": ("backbone.pooling", "cls"),
    }.items():
        file = recipe.over(FOLDER / f"{name}.yaml", base, tmp_path / f"{name}.yaml")
        changed = record.changes(configuration(base), configuration(file))
        assert {k: now for k, (_, now) in changed.items()} == {f"model_config.cmsbert.{key}": value}


def check(name, base, file):
    changed = record.changes(configuration(base), configuration(file))
    # A key is relative to the model; with a slash it is absolute.
    expected = {
        key[1:] if key[0] == "/" else f"model_config.cmsbert.{key}": value
        for key, value in CHANGES[name].items()
    }
    assert {key: now for key, (_, now) in changed.items()} == expected


@pytest.mark.parametrize("name", CHANGES)
def test_a_recipe_opens_with_the_command_that_launches_it(name):
    text = (FOLDER / f"{name}.yaml").read_text()
    comments = re.match(r"(#.*\n)+", text).group()
    assert f"#   mmf_run config=projects/cmsbert/ablations/{name}.yaml\n" in comments
    assert len([line for line in text.splitlines() if line and line[0] != "#"]) <= 23


def test_the_readme_names_every_recipe():
    text = (FOLDER / "README.md").read_text()
    spelled = set(re.findall(r"`([\w.]+)`", text))
    for stem, values in re.findall(r"`(\w+)\{([\w.,]+)\}`", text):
        spelled |= {stem + value for value in values.split(",")}
    assert set(CHANGES) <= spelled
