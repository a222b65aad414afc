"""MMF's models and datasets combined with ours: the recipes of projects/cmsbert/mixing train.

They run in this process, on a small synthetic corpus, with random BERTs of two small layers.
"""

import argparse
import functools
import json
import re

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.registry import registry
from mmf.utils import configuration, logger
from mmf.utils.build import build_config, build_trainer
from mmf.utils.env import set_seed, setup_imports

from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.paths import PACKAGE

FOLDER = PACKAGE / "projects" / "cmsbert" / "mixing"
BERT = str(PACKAGE / "projects" / "cmsbert" / "demo")
README = (FOLDER / "README.md").read_text()
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "regions")
METRICS = {"mae", "corr", "acc7", "acc5", "acc2", "f1", "acc2_nonzero", "f1_nonzero"}
# Parts of each model that compute a modality, with their widths in the demo.
PARTS = {
    "visual_bert": {
        "text": ("model.bert.pooler", 96),
        "visual": ("model.bert.embeddings.projection", 96),
    },
    "vilbert": {"text": ("model.bert.t_pooler", 96), "visual": ("model.bert.v_pooler", 96)},
    "mmbt": {
        "text": ("model.bert.mmbt.transformer.pooler", 96),
        "visual": ("model.bert.mmbt.modal_encoder.proj_embeddings", 96),
    },
    "concat_bert": {"text": ("base.text", 96), "visual": ("base.modal", 47)},
    "late_fusion": {"text": ("base.text", 96), "visual": ("base.modal", 47)},
}
SPLITS = {"train": 16, "val": 6, "test": 7}


class Writer:
    """A writer for MMF that records log lines."""

    def __init__(self, folder):
        self.log_folder = str(folder)
        self.values = {}

    def write(self, *args, **kwargs):
        pass

    def log_progress(self, values):
        self.values.update(values)


@pytest.fixture(scope="module", autouse=True)
def each_file_is_read_once():
    """Cache YAML files, because the recipes share many of them."""
    original = configuration.load_yaml
    configuration.load_yaml = functools.cache(original)
    yield
    configuration.load_yaml = original


@pytest.fixture(autouse=True)
def fresh_registry():
    """Remove configurations and processors, which MMF keeps until the process ends."""
    state = registry.mapping["state"]
    before = dict(state)
    for name in [name for name in state if name.startswith(("mosi_", "mosei_"))]:
        del state[name]
    yield
    state.clear()
    state.update(before)


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Return a function that builds MMF's trainer from a file and overrides, like mmf_run."""
    monkeypatch.chdir(tmp_path)
    setup_imports()
    if mmf_line.is_main():  # which has no writer that values are given to
        monkeypatch.setattr(
            logger, "log_progress", lambda info: registry.get("writer").log_progress(info)
        )

    def prepare(include, changes, model, dataset="mosi"):
        changes = OmegaConf.merge(_small(dataset.split(",")), changes)
        file = tmp_path / "run.yaml"
        file.write_text(f"includes: [{FOLDER / include}]\n" + OmegaConf.to_yaml(changes))
        words = [f"config={file}", f"model={model}", f"dataset={dataset}"]
        words += [f"env.save_dir={tmp_path / 'save'}", f"env.data_dir={tmp_path / 'data'}"]
        arguments = argparse.Namespace(config_override=None, opts=words)
        made = configuration.Configuration(arguments)
        config = made.get_config()
        config.device_id = 0
        config.distributed.init_method = None
        config.training.seed = set_seed(config.training.seed)
        config = build_config(made)
        writer = Writer(tmp_path)
        registry.register("writer", writer)
        trainer = build_trainer(config)
        trainer.writer = writer
        trainer.load()
        return trainer

    return prepare


def _small(datasets):
    """Options for a small corpus of each dataset, and two updates."""
    config = {"batch_size": 8, "max_updates": 2, "evaluation_interval": 2, "log_interval": 1}
    corpora = {
        name: {
            "data_dir": f"corpus/{name}",
            "annotations": {split: [f"{split}.pkl"] for split in SPLITS},
            "store_dir": "corpus/stores",
            "synthetic": {"seed": 1, **SPLITS},
        }
        for name in datasets
        if name in ("mosi", "mosei")
    }
    return OmegaConf.create({"training": config, "dataset_config": corpora})


def embeddings(model):
    """Return options that align the text and the regions of `model`, with the losses."""
    parts = {m: {"module": part, "width": width} for m, (part, width) in PARTS[model].items()}
    losses = [{"type": "sentiment_regression"}, {"type": "multimodal_contrastive"}]
    return {"modality_embeddings": {"dim": 16, "parts": parts}, "losses": losses}


def scored(trainer, split, dataset="mosi"):
    """Return the metrics of a split in MMF's log: name -> value."""
    start = f"{split}/{dataset}/sentiment_"
    values = {k.removeprefix(start): v for k, v in trainer.writer.values.items()}
    return {name: float(values[name]) for name in METRICS}


def batch_of(trainer, numbers):
    from mmf.common.batch_collator import BatchCollator

    dataset = trainer.test_loader.datasets[0]
    samples = [dataset[i] for i in numbers]
    return dataset.prepare_batch(BatchCollator("mosi", "test")(samples))


def check_what_a_segment_gets_is_its_own(trainer):
    trainer.model.eval()
    with torch.no_grad():
        together = trainer.model(batch_of(trainer, range(SPLITS["test"])))["scores"]
        alone = [trainer.model(batch_of(trainer, [i]))["scores"] for i in range(SPLITS["test"])]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


def check_regions_are_read(trainer):
    batch = batch_of(trainer, range(4))
    with torch.no_grad():
        before = trainer.model(batch)["scores"]
        batch = batch_of(trainer, range(4))
        batch.image_feature_0[:] += 1.0
        after = trainer.model(batch)["scores"]
    assert not torch.allclose(before, after)


def check_predictions(trainer, folder):
    OmegaConf.set_readonly(trainer.config, False)
    trainer.config.evaluation.predict = True
    trainer.inference()
    (file,) = (folder / "save").rglob("reports/*.json")
    rows = json.loads(file.read_text())
    assert len(rows) == SPLITS["test"]
    error = np.mean([abs(row["prediction"] - row["label"]) for row in rows])
    assert error == pytest.approx(scored(trainer, "test")["mae"], abs=1e-4)


@pytest.mark.parametrize("model", [*PARTS, "unimodal_text"])
def test_a_model_of_mmf_trains_is_scored_and_predicts(prepare, tmp_path, model):
    changes = {"model_config": {model: embeddings(model)}} if model in PARTS else {}
    trainer = prepare("demo.yaml", changes, model)
    trainer.train()

    for split in ("val", "test"):
        assert all(np.isfinite(list(scored(trainer, split).values())))
    check_what_a_segment_gets_is_its_own(trainer)
    if model in PARTS:
        assert float(trainer.writer.values["test/mosi/multimodal_contrastive"]) > 0
        check_regions_are_read(trainer)
    check_predictions(trainer, tmp_path)


def configured(recipe, *words, dataset="mosi"):
    """Return the whole configuration of a recipe, references resolved."""
    model = yaml.safe_load((FOLDER / recipe).read_text()).get("model", "cmsbert")
    if recipe == "late_fusion_clr.yaml":
        model = "late_fusion"
    typed = [f"config={FOLDER / recipe}", f"model={model}", f"dataset={dataset}", *words]
    made = configuration.Configuration(argparse.Namespace(config_override=None, opts=typed))
    return model, OmegaConf.to_container(made.get_config(), resolve=True)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_opens_with_the_command_that_launches_it_and_stands_in_the_readme(recipe):
    comments = re.match(r"(#.*\n)+", (FOLDER / f"{recipe}.yaml").read_text()).group()
    assert f"#   mmf_run config=projects/cmsbert/mixing/{recipe}.yaml" in comments
    assert f"`{recipe}.yaml`" in README


@pytest.mark.parametrize("recipe", sorted({*RECIPES} - {"demo", "mosi_hateful_memes"}))
def test_a_recipe_regresses_sentiment_with_the_words_of_its_bert(recipe):
    model, config = configured(f"{recipe}.yaml")
    section, mosi = config["model_config"][model], config["dataset_config"]["mosi"]
    tokenizer = mosi["processors"]["word_processor"]["params"]["tokenizer"]
    assert section["bert_model_name"] == tokenizer == "bert-base-uncased"
    assert section["losses"][0] == {"type": "sentiment_regression", "params": {"kind": "l1"}}
    assert len(config["evaluation"]["metrics"]) == len(METRICS)
    assert config["training"]["early_stop"]["criteria"] == "mosi/sentiment_mae"


def test_the_widths_follow_the_modality():
    key = "dataset_config.mosi.processors.region_processor.params.modality"
    for words, width in (([], 47), ([f"{key}=acoustic"], 74)):
        _, config = configured("visual_bert.yaml", *words)
        assert config["model_config"]["visual_bert"]["visual_embedding_dim"] == width
        _, config = configured("late_fusion_clr.yaml", *words)
        section = config["model_config"]["late_fusion"]
        assert section["modal_encoder"]["params"]["in_dim"] == width
        assert section["modality_embeddings"]["parts"]["visual"]["width"] == width


def test_the_readme_shows_the_recipe_and_names_the_parts_of_each_model():
    (shown,) = re.findall(r"```yaml\n(.+?)```", README, re.DOTALL)
    shown = yaml.safe_load(shown)["model_config"]["late_fusion"]
    section = configured("late_fusion_clr.yaml")[1]["model_config"]["late_fusion"]
    assert shown["modality_embeddings"] == section["modality_embeddings"]
    assert [loss["type"] for loss in shown["losses"]] == [
        each["type"] for each in section["losses"]
    ]
    for model, parts in PARTS.items():
        named = [f"`{model}`", *(f"`{part}`" for part, _ in parts.values())]
        assert any(all(name in line for name in named) for line in README.splitlines())


def test_the_layer_of_the_readme_works():
    from transformers import BertConfig, BertModel

    (code,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    space = {}
    exec(compile(code, "README.md", "exec"), space)
    torch.manual_seed(0)
    model = space["ShiftedBert"](BertModel(BertConfig.from_pretrained(BERT)), width=5).eval()
    ids, mask = torch.randint(5, 170, (2, 7)), torch.ones(2, 7).long()
    frames, there = torch.rand(2, 4, 5), torch.tensor([[True] * 4, [False] * 4])
    pooled = model(ids, mask, frames, there)
    assert pooled.shape == (2, 96)
    other = model(ids, mask, frames + 1, there)
    assert not torch.allclose(pooled[0], other[0])
    assert torch.equal(pooled[1], other[1])  # it has no frames
    pooled.sum().backward()
    assert all(each.grad is not None for each in model.encoder.parameters())


def regions(modality, **others):
    section = {"type": "frames_as_regions", "params": {"modality": modality, "count": 10}}
    return {"processors": {"region_processor": section}, **others}


def test_mosi_and_mosei_together_train_a_model_of_mmf_on_what_they_share(prepare):
    both = {name: regions("acoustic") for name in ("mosi", "mosei")}
    trainer = prepare("demo.yaml", {"dataset_config": both}, "visual_bert", "mosi,mosei")
    trainer.train()
    for dataset in ("mosi", "mosei"):
        assert np.isfinite(scored(trainer, "test", dataset)["mae"])


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (regions("visual", normalise="corpus"), "normalise is corpus, .* type .*normalise=segment"),
        (
            regions("visual", features={"visual": None}),
            "features.visual is null; expected one of acoustic",
        ),
    ],
)
def test_frames_that_cannot_be_regions(prepare, section, message):
    with pytest.raises(ConfigError, match=message):
        prepare("demo.yaml", {"dataset_config": {"mosi": section}}, "unimodal_text")


def memes(folder):
    """Write files in the layout of Hateful Memes: synthetic texts, labels and regions."""
    generator = np.random.default_rng(0)
    annotations = folder / "datasets" / "hateful_memes" / "defaults" / "annotations"
    annotations.mkdir(parents=True)
    (folder / "features").mkdir()
    for split, numbers in (("train", range(16)), ("dev", range(16, 22))):
        rows = []
        for i in numbers:
            np.save(folder / "features" / f"{i:05}.npy", generator.random((3, 2048), np.float32))
            row = {"id": i, "img": f"img/{i:05}.png", "label": i % 2, "text": "the fox was good"}
            rows.append(json.dumps(row) + "\n")
        (annotations / f"{split}.jsonl").write_text("".join(rows))
    files = {"train": "train", "val": "dev"}
    return {
        # Nothing must be downloaded.
        "zoo_requirements": ["nothing"],
        "data_dir": str(folder),
        "annotations": {s: [str(annotations / f"{f}.jsonl")] for s, f in files.items()}
        | {"test": []},
        "features": {split: ["features"] for split in files},
        "max_features": 4,
    }


def test_mosi_and_a_dataset_of_mmf_train_our_model(prepare, tmp_path):
    changes = {
        "dataset_config": {"hateful_memes": memes(tmp_path / "data")},
        "model_config": {
            "cmsbert": {"backbone": {"name": BERT, "from_config": BERT, "pooling": "mean"}}
        },
        "run_type": "train_val",
    }
    trainer = prepare("mosi_hateful_memes.yaml", changes, "cmsbert", "mosi,hateful_memes")
    trainer.train()
    for dataset in ("mosi", "hateful_memes"):
        assert np.isfinite(scored(trainer, "val", dataset)["mae"])


@pytest.mark.parametrize(
    ("words", "saved"),
    [
        ({"config": "mosi_hateful_memes.yaml"}, "./save/mixing_mosi_hateful_memes"),
        ({"config": "demo.yaml", "model": "vilbert"}, "./save/mixing_demo/vilbert"),
    ],
)
def test_mmf_run_takes_it_and_saves_each_model_by_itself(tmp_path, monkeypatch, words, saved):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MMF_SAVE_DIR", raising=False)
    completed = complete(words | {"config": str(FOLDER / words["config"])})
    assert completed.resolved()["env"]["save_dir"] == saved
