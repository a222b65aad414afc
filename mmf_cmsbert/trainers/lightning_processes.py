"""pytorch-lightning's Trainer for a configuration, and the processes that it wants."""

import logging
import os
import subprocess
import sys
from typing import Any

from omegaconf import OmegaConf
from pytorch_lightning import Trainer
from pytorch_lightning.strategies import DDPStrategy, Strategy

from mmf_cmsbert.config.schemas.training import LightningConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.precision import Precision
from mmf_cmsbert.trainers import lost_processes
from mmf_cmsbert.trainers.ranks import Ranks
from mmf_cmsbert.utils import folder_lock

# Lightning's words; TF32 is no matter of its.
_PRECISIONS = {"bf16": "bf16-mixed", "fp16": "16-mixed"}
# How a process knows that it is one of several, see Lightning's LightningEnvironment.
_LOCAL_RANK = "LOCAL_RANK"


def build(training: Any) -> tuple[Trainer, Ranks]:
    """Lightning's Trainer for one pass over what it is given, in a process that knows its rank.

    The other processes of this machine are started, by the command that started this one, unless
    they were: by this function, torchrun, Slurm, or whatever else Lightning knows.

    Args:
        training: the section ``training``.

    Raises:
        ConfigError: a wrong key or value of ``training.lightning``, or a precision that contradicts
            ``training.precision``.
    """
    settings = lightning_config(training)
    key, precision = _precision(settings, training.precision)
    # It reports on devices and limits that are not the user's.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    lost_processes.watch_parent()
    try:
        trainer = _trainer(settings, settings.strategy, precision, training)
        Precision.read(key, precision, trainer.strategy.root_device)
        if trainer.num_devices * trainer.num_nodes > 1 or settings.strategy == "ddp":
            # What takes part in the loss depends on the losses, the dataset and the segments.
            strategy = DDPStrategy(find_unused_parameters=True)
            trainer = _trainer(settings, strategy, precision, training)
            _start_others(trainer.strategy)
    except (RuntimeError, ValueError, TypeError) as error:  # Lightning's kinds of a wrong setting
        raise ConfigError(f"training.lightning: {' '.join(str(error).split())}") from error
    trainer.strategy.setup_environment()
    device = trainer.strategy.root_device
    return trainer, Ranks(trainer.global_rank, trainer.world_size, device)


def lightning_config(training: Any) -> LightningConfig:
    """The section ``training.lightning``, checked."""
    given = OmegaConf.to_container(training.lightning, resolve=True)
    return read(LightningConfig, given, "training.lightning")


def _precision(settings: LightningConfig, general: str) -> tuple[str, str]:
    """Which key says it, and what."""
    own = settings.precision
    if own is None or own == general or (own, general) == ("fp32", "tf32"):
        return "training.precision", general
    if general != "fp32":
        raise ConfigError(
            f"training.precision is {general} and training.lightning.precision says {own}; leave "
            "training.lightning.precision=null, and training.precision holds"
        )
    return "training.lightning.precision", own


def _trainer(
    settings: LightningConfig, strategy: str | Strategy, precision: str, training: Any
) -> Trainer:
    trainer = Trainer(
        accelerator="auto" if training.device == "cuda" else training.device,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy=strategy,
        precision=_PRECISIONS.get(precision, "32-true"),
        detect_anomaly=bool(training.get("detect_anomaly")),
        max_epochs=1,
        # MMF's own, which are what its users know
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    # Lightning's handler of SIGTERM waits, inside the handler, for all other processes, ends a run
    # with status 0, and asks Slurm to repeat it; see `mmf_cmsbert.trainers.ending` instead.
    trainer._signal_connector.register_signal_handlers = lambda: None
    return trainer


def _start_others(strategy: DDPStrategy) -> None:
    environment = strategy.cluster_environment
    if environment.creates_processes_externally:
        return
    variables = {
        "MASTER_ADDR": environment.main_address,
        "MASTER_PORT": str(environment.main_port),
        "NODE_RANK": str(environment.node_rank()),
        "WORLD_SIZE": str(environment.world_size()),
    }
    os.environ.update(variables)
    command = [sys.executable, *sys.orig_argv[1:]]
    environment = os.environ | {lost_processes.STARTED_BY: str(os.getpid())}
    others = {
        # What they print is what this one prints.
        rank: subprocess.Popen(
            command,
            env=environment | {_LOCAL_RANK: str(rank)},
            stdout=subprocess.DEVNULL,
            pass_fds=folder_lock.descriptors(),
        )
        for rank in range(1, strategy.num_processes)
    }
    os.environ[_LOCAL_RANK] = "0"
    lost_processes.watch(others)
