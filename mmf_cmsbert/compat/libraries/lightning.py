"""pytorch-lightning: a module that moved, and hooks for a trainer that runs on it.

Both lines start a process for each GPU, or join those of torchrun, before they look at
``training.trainer``; they then divide each batch by the number of processes; and they assume a
single process where torch is built without NCCL. ``hand_over`` leaves all of this to the trainer.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import ConfigError

_GONE = "pytorch_lightning.callbacks.base"


@patch(
    _GONE,
    why="Main, and plugins written for MMF, import Callback from this module, which "
    "pytorch-lightning 1.7 removed.",
    remove_when="MMF imports Callback from pytorch_lightning.callbacks.",
)
def serve_callbacks() -> bool:
    library = find_spec("pytorch_lightning")
    if library is None or (Path(library.origin).parent / "callbacks" / "base.py").exists():
        return False
    module = ModuleType(_GONE)
    # Imported on first use: it takes seconds, and rc10 does not use it.
    module.__getattr__ = lambda name: getattr(import_module("pytorch_lightning.callbacks"), name)
    imports.replace_module(_GONE, module)
    return True


def open_trainer_class() -> type:
    """The trainer of the MMF that is installed, for a training loop of Lightning's."""
    return import_module(f"mmf_cmsbert.compat.mmf.{line.installed()}.open_trainer").OpenTrainer


def hand_over(trainer: str, start: Callable[[Any], None]) -> None:
    """Leave the processes of a run to its trainer, and the division of batches among them.

    MMF's own trainers keep theirs, which need GPUs; without one there is a ConfigError.

    Args:
        trainer: its name.
        start: called with the configuration before MMF does anything else with it.
    """
    from mmf.utils import distributed, general
    from mmf.utils.configuration import get_global_config
    from torch import cuda
    from torch import distributed as processes

    def infer_init_method(original):
        def starting(config):
            if config.training.trainer != trainer:
                original(config)
                _check_devices(config)
                return
            start(config)
            config.distributed.world_size = 1  # MMF has none to start

        return starting

    def undivided(original):
        def get_world_size():
            return 1 if get_global_config("training.trainer") == trainer else original()

        return get_world_size

    def of_any_backend(ask):
        def make(original):
            def asking(*args, **kwargs):
                several = processes.is_available() and processes.is_initialized()
                return ask() if several else original(*args, **kwargs)

            return asking

        return make

    def _check_devices(config):
        started = config.distributed.init_method is not None
        # main has other devices too
        on_gpus = config.training.get("device") in (None, "cuda", "cpu")
        if started and on_gpus and not cuda.is_available():
            raise ConfigError(
                "RANK and WORLD_SIZE in the environment, or distributed.init_method, ask for "
                f"several processes. With training.trainer={config.training.trainer} MMF runs them "
                f"on GPUs alone, and torch sees none; type training.trainer={trainer}"
            )

    imports.replace_function(distributed, "infer_init_method", infer_init_method)
    for name, ask in (
        ("get_rank", processes.get_rank),
        ("get_world_size", processes.get_world_size),
        ("synchronize", processes.barrier),
    ):
        imports.replace_function(distributed, name, of_any_backend(ask))
    # There, it is only asked for to divide the batch size by it.
    general.get_world_size = undivided(general.get_world_size)
