"""A toy plugin for MMF, and runs of MMF's trainer with it (the fixture `toy`).

Its model has dropout and its training samples are noisy, so that each state of a random number
generator affects the weights. All data is synthetic.
"""

import argparse
import os
from types import SimpleNamespace

import numpy as np
import torch
from mmf.common.registry import registry
from mmf.common.sample import Sample
from mmf.datasets.base_dataset import BaseDataset
from mmf.datasets.base_dataset_builder import BaseDatasetBuilder
from mmf.models.base_model import BaseModel
from mmf.modules.metrics import BaseMetric
from mmf.utils.build import build_config, build_trainer
from mmf.utils.configuration import Configuration
from mmf.utils.env import set_seed
from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf.line import is_main

DATASETS = ("toy_a", "toy_b", "toy_c")
# Options with which a NaN loss is not checked: rc10 checks it with its log, main at each update.
TRAIN_ON_NAN = [
    "training.exit_on_nan_losses=False" if is_main() else "training.log_interval=100",
]


class ToyDataset(BaseDataset):
    def __init__(self, name, config, split):
        super().__init__(name, config, split)
        generator = torch.Generator().manual_seed(1000 * DATASETS.index(name) + ord(split[1]))
        self.length = config.sizes[split]
        self.x = torch.randn(self.length, 4, generator=generator)
        noise = torch.randn(self.length, 1, generator=generator)
        self.y = self.x.sum(1, keepdim=True) + 0.3 * noise

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        x = self.x[index]
        if self.dataset_type == "train":
            x = x + 0.1 * torch.randn(4) + 0.1 * float(np.random.randn())
        return Sample({"x": x, "targets": self.y[index], "id": torch.tensor(index)})

    def format_for_prediction(self, report):
        rows = torch.stack([report.id, report.scores.flatten()]).T.tolist()
        return [{"id": int(identity), "score": score} for identity, score in rows]


class ToyBuilder(BaseDatasetBuilder):
    name: str

    def __init__(self):
        super().__init__(self.name)

    def build(self, *args, **kwargs):
        pass

    def load(self, config, dataset_type, *args, **kwargs):
        return ToyDataset(self.name, config, dataset_type) if config.sizes[dataset_type] else None

    def update_registry_for_model(self, config):
        pass


for _name in DATASETS:
    registry.register_builder(_name)(type("Builder", (ToyBuilder,), {"name": _name}))


@registry.register_model("toy_model")
class ToyModel(BaseModel):
    interrupt: tuple[str, int] | None = None  # split and number of the batch
    nan_at: int | None = None

    def build(self):
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1)
        )
        self.seen = {"train": 0, "val": 0, "test": 0}

    def forward(self, sample_list):
        split = sample_list.dataset_type
        self.seen[split] += 1
        if self.interrupt == (split, self.seen[split]):
            raise KeyboardInterrupt
        scores = self.layers(sample_list.x)
        loss = (scores - sample_list.targets).square().mean()
        if split == "train" and self.seen[split] == self.nan_at:
            loss = loss * float("nan")
        return {"scores": scores, "losses": {f"{split}/{sample_list.dataset_name}/square": loss}}


@registry.register_metric("toy_error")
class ToyError(BaseMetric):
    def __init__(self):
        super().__init__("toy_error")

    def calculate(self, sample_list, model_output, *args, **kwargs):
        return (model_output["scores"] - sample_list["targets"]).abs().mean()


class Writer:
    """A writer for MMF that records log lines."""

    def __init__(self, folder):
        self.log_folder = str(folder)
        self.lines = []
        self.progress = []

    def write(self, text, *args, **kwargs):
        self.lines.append(str(text))

    def log_progress(self, values):
        self.progress.append(dict(values))


def config_file(folder, sizes):
    """Write the configuration of a run; `sizes` is dataset -> (train, val, test)."""
    splits = ("train", "val", "test")
    config = {
        "model_config": {"toy_model": {"losses": []}},
        "dataset_config": {
            name: {"sizes": dict(zip(splits, sizes.get(name, (22, 9, 7)), strict=True))}
            for name in DATASETS
        },
        "optimizer": {"type": "AdamW", "params": {"lr": 0.02}},
        "scheduler": {
            "type": "warmup_linear",
            "params": {"num_warmup_steps": 4, "num_training_steps": 40},
        },
        "evaluation": {"metrics": ["toy_error"]},
        "training": {
            "trainer": "base_trainer",
            "lr_scheduler": True,
            "batch_size": 4,
            "num_workers": 0,
            "max_updates": 14,
            "log_interval": 3,
            "checkpoint_interval": 4,
            "evaluation_interval": 6,
            "seed": 3,
            "early_stop": {"criteria": "toy_a/toy_error", "minimize": True},
        },
        "checkpoint": {"save_git_details": False},
        "env": {"save_dir": str(folder / "save")},
    }
    path = folder / "toy.yaml"
    own = path.with_suffix(f".{os.getpid()}")
    own.write_text(OmegaConf.to_yaml(OmegaConf.create(config)))
    return own.replace(path)  # complete for another process of the same run


def trainer(folder, *opts, dataset="toy_a", sizes=None):
    """Build MMF's trainer as its `mmf_run` does, ready to train, in `folder`/save."""
    folder.mkdir(exist_ok=True)
    path = config_file(folder, sizes or {})
    words = [f"config={path}", "model=toy_model", f"dataset={dataset}", *opts]
    configuration = Configuration(argparse.Namespace(config_override=None, opts=words))
    config = configuration.get_config()
    config.device_id = 0
    config.distributed.init_method = None
    config.training.seed = set_seed(config.training.seed)
    config = build_config(configuration)
    writer = Writer(folder)
    registry.register("writer", writer)
    result = build_trainer(config)
    result.writer = writer  # main's has none
    result.load()
    return result


def prepared(trainer, batch):
    """Prepare a batch of a split's loader for the model; main's loader has already done so."""
    return batch if is_main() else trainer.dataset_loader.prepare_batch(batch)


def run(folder, *opts, interrupt=None, nan_at=None, **kwargs):
    """Train and test; `interrupt` names the batch of a split in which to raise a KeyboardInterrupt.

    Returns:
        The last logged values of each metric, the final weights, the log and the trainer.
    """
    made = trainer(folder, *opts, **kwargs)
    made.model.interrupt, made.model.nan_at = interrupt, nan_at
    try:
        made.train()
    except KeyboardInterrupt:
        assert interrupt is not None
    metrics = {}
    for values in made.writer.progress:
        metrics.update({k: v for k, v in values.items() if k.startswith(("val/", "test/"))})
    weights = {key: value.clone() for key, value in made.model.state_dict().items()}
    return SimpleNamespace(
        metrics=metrics, weights=weights, lines=made.writer.lines, trainer=made, folder=folder
    )
