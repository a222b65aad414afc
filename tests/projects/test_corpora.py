"""The recipes of the field's corpora: consistent, and trained on small files of each layout."""

import json
import math
import re

import pytest
from omegaconf import OmegaConf
from written_corpora import (
    iemocap_pickle,
    meld_tables,
    mosei_pickles,
    mustard_json,
    sims_pickle,
    urfunny_pickles,
)

from mmf_cmsbert.config import target_check
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.paths import PACKAGE

RECIPES = PACKAGE / "projects" / "cmsbert"
# Recipe -> dataset, the widths of the made files, and a writer of these.
MADE = {
    "sims": ("sims", (9, 6), sims_pickle),
    "sims_multitask": ("sims", (9, 6), sims_pickle),
    "simsv2": ("simsv2", (9, 6), sims_pickle),
    "mosei_emotions": ("mosei_emotions", (9, 6), mosei_pickles),
    "mosei_multitask": ("mosei_emotions", (9, 6), mosei_pickles),
    "meld": ("meld", (None, 9), meld_tables),
    "meld_multitask": ("meld", (None, 9), meld_tables),
    "iemocap": ("iemocap", (512, 100), iemocap_pickle),
    "iemocap4": ("iemocap", (512, 100), iemocap_pickle),
    "urfunny": ("urfunny", (11, 7), urfunny_pickles),
    "mustard": ("mustard", (12, 9), mustard_json),
}


def composed(name):
    """A recipe with those that it includes, and the defaults of its dataset."""
    recipe = OmegaConf.load(RECIPES / name)
    parts = [composed(each.removeprefix("./")) for each in recipe.pop("includes", [])]
    return OmegaConf.merge(*parts, recipe)


@pytest.fixture(scope="module")
def recipes():
    found = {}
    for name, (dataset, *_) in MADE.items():
        defaults = PACKAGE / "configs" / "datasets" / dataset / "defaults.yaml"
        model = PACKAGE / "configs" / "models" / "cmsbert" / "defaults.yaml"
        folders = OmegaConf.create({"env": {"data_dir": "/data"}})
        parts = [folders, *map(OmegaConf.load, (model, defaults)), composed(f"{name}.yaml")]
        found[name] = OmegaConf.to_container(OmegaConf.merge(*parts), resolve=True)
    return found


@pytest.mark.parametrize("name", MADE)
def test_targets_losses_and_metrics_fit_each_other(recipes, name):
    recipe, dataset = recipes[name], MADE[name][0]
    section = recipe["dataset_config"][dataset]
    settings = read(DATASETS[dataset], section, f"dataset_config.{dataset}")
    model = recipe["model_config"]["cmsbert"]
    read(CMSBERTConfig, model, "model_config.cmsbert")
    targets = {dataset: settings.predicted}
    assert target_check.of_metrics(recipe["evaluation"]["metrics"], targets) == []
    assert target_check.of_model(model, {dataset: section["targets"]}, "model") == []


@pytest.mark.parametrize("name", MADE)
def test_the_best_checkpoint_is_chosen_by_a_score_of_the_recipe(recipes, name):
    recipe, dataset = recipes[name], MADE[name][0]
    stop = recipe["training"]["early_stop"]
    of, _, metric = stop["criteria"].partition("/")
    assert of == recipe["dataset"] == dataset
    assert metric in recipe["evaluation"]["metrics"]
    assert stop["minimize"] == metric.endswith("mae")


@pytest.mark.parametrize("name", [name for name in MADE if "multitask" not in name])
def test_the_length_is_that_of_the_comment(recipes, name):
    text = (RECIPES / f"{name}.yaml").read_text()
    training = recipes[name]["training"]
    if match := re.search(r"# (\d+) epochs of ([\d,]+) segments", text):
        epochs, segments = int(match[1]), int(match[2].replace(",", ""))
        epoch = math.ceil(segments / training["batch_size"])
        assert training["max_updates"] == epochs * epoch
        assert training["early_stop"]["patience"] % epoch == 0
        assert training["evaluation_interval"] in (epoch, epoch // 2)


def train(typed_commands, folder, name):
    dataset, (visual, acoustic), write = MADE[name]
    section = f"dataset_config.{dataset}"
    widths = {"visual": visual, "acoustic": acoustic}
    ended = typed_commands.run(
        "mmf_run",
        [
            f"config=projects/cmsbert/{name}.yaml",
            f"{section}.source={write(folder / 'data')}",
            *(f"{section}.features.{m}={width}" for m, width in widths.items() if width),
            f"{section}.store_dir={folder / 'stores'}",
            f"{section}.processors.word_processor.params.max_seq_length=50",
            "model_config.cmsbert.backbone.name=projects/cmsbert/demo",
            "model_config.cmsbert.backbone.from_config=projects/cmsbert/demo",
            "model_config.cmsbert.backbone.pooling=mean",
            "training.max_updates=2",
            "training.batch_size=4",
            "training.evaluation_interval=2",
            "training.report=false",
            "checkpoint.export=false",
            f"env.save_dir={folder / 'save'}",
        ],
        folder,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads((folder / "save" / "run.json").read_text()), ended.stdout


def check_scores(record, recipe):
    for entry in recipe["evaluation"]["metrics"]:
        metric = entry if isinstance(entry, str) else entry.get("key", entry["type"])
        assert f"{recipe['dataset']}/{metric}" in record["test"]


def test_chinese_text_and_four_labels_train_four_heads(typed_commands, tmp_path, recipes):
    record, output = train(typed_commands, tmp_path, "sims_multitask")
    check_scores(record, recipes["sims_multitask"])
    for head in ("sentiment", "sentiment_text", "sentiment_acoustic", "sentiment_visual"):
        assert f"sims/target_loss/{head}:" in output


@pytest.mark.slow  # one run is above
@pytest.mark.parametrize("name", [name for name in MADE if name != "sims_multitask"])
def test_each_recipe_trains_on_its_layout(typed_commands, tmp_path, recipes, name):
    check_scores(train(typed_commands, tmp_path, name)[0], recipes[name])
