"""Each shipped ablation changes what it says, over whatever base, and nothing else."""

import re
from functools import cache

import pytest

from mmf_cmsbert import cli
from mmf_cmsbert.experiments import recipe, record
from mmf_cmsbert.paths import PACKAGE

PROJECT = PACKAGE / "projects" / "cmsbert"
FOLDER = PROJECT / "ablations"
TEXT, VISUAL, ACOUSTIC = "text", "visual", "acoustic"
SMOOTHING = "losses[1].params.label_smoothing"
# What each recipe changes in the full model, below model_config.cmsbert.
CHANGES = {
    "cms_clr": {},
    "text_only": {"modalities": [TEXT]},
    "clr_only": {"shift.context": "none"},
    "mag": {"shift.context": "word"},
    "mag_bert": {
        "shift.context": "word",
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
} | {f"layer_{layer}": {"shift.layer": layer} for layer in (1, 2, 3, 6, 12)}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@cache
def configuration(file):
    return dict(record.flat(cli.resolved(cli.complete({"config": str(file)}))))


def test_every_shipped_file_is_known_here():
    assert {recipe.name_of(file) for file in FOLDER.glob("*.yaml")} == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_recipe_changes_what_it_says_and_nothing_else(name):
    check(name, PROJECT / "mosi.yaml", FOLDER / f"{name}.yaml")


@pytest.mark.parametrize("name", ["text_only", "mag_bert", "no_label_smoothing"])
def test_and_so_it_does_over_another_base(name, tmp_path):
    base = PROJECT / "demo.yaml"
    check(name, base, recipe.over(FOLDER / f"{name}.yaml", base, tmp_path / f"{name}.yaml"))


def check(name, base, file):
    changed = record.changes(configuration(base), configuration(file))
    # A key is the model's, or with a slash a whole one.
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
    assert len([line for line in text.splitlines() if line and line[0] != "#"]) <= 22


def test_the_readme_names_every_recipe():
    text = (FOLDER / "README.md").read_text()
    spelled = set(re.findall(r"`([\w.]+)`", text))
    for stem, values in re.findall(r"`(\w+)\{([\d.,]+)\}`", text):
        spelled |= {stem + value for value in values.split(",")}
    assert set(CHANGES) <= spelled
