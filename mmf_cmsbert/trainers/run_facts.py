"""The facts of a run that a person wants to see before it starts."""

import os
import sys
from pathlib import Path
from typing import Any

import torch

from mmf_cmsbert.config.run_config import TEMPORARY
from mmf_cmsbert.config.splits import needed_splits, trains
from mmf_cmsbert.paths import PACKAGE


def of(trainer: Any) -> dict[str, str]:
    """Name -> value: configuration, model, weights, data, training, device and folder.

    Args:
        trainer: an MMF trainer that has loaded everything.
    """
    config = trainer.config
    found = {
        "config": _file(config.get("config")),
        "model": _model(trainer),
        "weights": _weights(trainer.model),
        "data": _data(trainer),
    }
    if trains(trainer.run_type):
        found["training"] = _training(trainer)
    found["device"] = _device(trainer)
    found["folder"] = shown(Path(config.env.save_dir))
    return {name: value for name, value in found.items() if value}


def shown(path: Path) -> str:
    """A path, relative to the working folder where it lies below it."""
    path = Path(os.path.abspath(path.expanduser()))
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path)


def peak_memory(device: torch.device | str) -> str:
    """The most memory that this process has had so far, of the GPU where it computes on one."""
    if torch.device(device).type == "cuda":
        size, where = float(torch.cuda.max_memory_allocated(device)), " of the GPU"
    else:
        try:
            import resource
        except ImportError:  # Windows
            return "unknown"
        # kibibytes, on macOS bytes
        unit = 1 if sys.platform == "darwin" else 1024
        size, where = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit), ""
    return f"{size / 2**20:,.0f} MiB{where}"


def _file(name: str | None) -> str:
    if not name or Path(name).name.startswith(TEMPORARY):
        return ""
    path = Path(name).resolve()
    # as the shipped recipes are typed
    for folder in (PACKAGE, PACKAGE.parent):
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
    return shown(path)


def _model(trainer: Any) -> str:
    model = _unwrapped(trainer.model)
    about = getattr(model, "summary", None)
    name = str(trainer.config.model)
    return f"{name}: {about}" if isinstance(about, str) else name


def _weights(model: Any) -> str:
    parameters = list(_unwrapped(model).parameters())
    trained = sum(each.numel() for each in parameters if each.requires_grad)
    return f"{trained:,} trained, {sum(each.numel() for each in parameters):,} in all"


def _data(trainer: Any) -> str:
    counts: dict[str, list[str]] = {}
    made_up = set()
    for split in needed_splits(trainer.run_type):
        for dataset in getattr(trainer, f"{split}_loader").datasets:
            name = getattr(dataset, "dataset_name", type(dataset).__name__)
            if hasattr(dataset, "__len__"):
                counts.setdefault(name, []).append(f"{len(dataset):,} {split}")
            if getattr(dataset, "synthetic", False):
                made_up.add(name)
    return "; ".join(
        f"{name}{' (synthetic)' if name in made_up else ''}: {', '.join(sizes)}"
        for name, sizes in counts.items()
    )


def _training(trainer: Any) -> str:
    training = trainer.config.training
    size = f"{training.batch_size}"
    if trainer.accumulated > 1:
        size += f" x {trainer.accumulated}"
    text = f"{training.max_updates:,} updates of {size}"
    if trainer.num_updates:
        text += f", resumed after {trainer.num_updates:,}"
    stop = training.early_stop
    text += f"; validated every {trainer.evaluation_interval} by {stop.criteria}"
    return f"{text}; seed {training.seed}"


def _device(trainer: Any) -> str:
    device = torch.device(trainer.device)
    processes = getattr(getattr(trainer, "ranks", None), "count", 1)
    if device.type == "cuda":
        text = torch.cuda.get_device_name(device)
    else:
        threads = torch.get_num_threads()
        text = f"{device.type}, {threads} thread{'s' * (threads > 1)}"
        if chosen := getattr(trainer, "threads", None):
            text += f" ({chosen.why})"
        if not torch.cuda.is_available():
            text += ", no GPU found"
    precision = trainer.precision.name if trains(trainer.run_type) else ""
    text += f"; {precision or trainer.evaluation_precision.name}"
    return f"{text}; {processes} processes" if processes > 1 else text


def _unwrapped(model: Any) -> Any:
    return getattr(model, "module", model)
