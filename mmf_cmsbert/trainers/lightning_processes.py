"""Build pytorch-lightning's Trainer from a configuration, and start its processes."""

import logging
import os
import subprocess
import sys
from typing import Any

from omegaconf import OmegaConf
from pytorch_lightning import Trainer
from pytorch_lightning.strategies import DDPStrategy, Strategy

from mmf_cmsbert.compat.mmf.both import process_start
from mmf_cmsbert.config.schemas.training import LightningConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.precision import Precision
from mmf_cmsbert.trainers import lost_processes
from mmf_cmsbert.trainers.ranks import Ranks
from mmf_cmsbert.utils import folder_lock

# Our names -> Lightning's, which has none for TF32.
_PRECISIONS = {"bf16": "bf16-mixed", "fp16": "16-mixed"}
# Environment variable that tells a process its rank, see Lightning's LightningEnvironment.
_SEVERAL = (
    "training.lightning asks for several processes, and train() makes a run in this one; set "
    "training.lightning.devices=1, num_nodes=1 and strategy=auto, or type mmf_run"
)
_LOCAL_RANK = "LOCAL_RANK"


def build(training: Any) -> tuple[Trainer, Ranks]:
    """Build Lightning's Trainer for one epoch, and return it with the rank of this process.

    Unless an earlier call, torchrun, Slurm or another launcher that Lightning supports has started
    the other processes of this machine, they are started with the command line of this one.

    Args:
        training: the section ``training``.

    Raises:
        ConfigError: a key or value of ``training.lightning`` is invalid, or its precision
            contradicts ``training.precision``.
    """
    settings = lightning_config(training)
    key, precision = _precision(settings, training.precision)
    # Its messages about devices and limits do not apply to the user's settings.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    lost_processes.watch_parent()
    try:
        trainer = _trainer(settings, settings.strategy, precision, training)
        Precision.read(key, precision, trainer.strategy.root_device)
        if trainer.num_devices * trainer.num_nodes > 1 or settings.strategy == "ddp":
            # Which parameters have gradients depends on the losses, the dataset and the segments.
            strategy = DDPStrategy(find_unused_parameters=True)
            trainer = _trainer(settings, strategy, precision, training)
            if process_start.is_in_one_process():
                raise ConfigError(_SEVERAL)
            _start_others(strategy)
    except (RuntimeError, ValueError, TypeError) as error:  # Lightning's, for an invalid setting
        raise ConfigError(f"training.lightning: {' '.join(str(error).split())}") from error
    trainer.strategy.setup_environment()
    device = trainer.strategy.root_device
    return trainer, Ranks(trainer.global_rank, trainer.world_size, device)


def lightning_config(training: Any) -> LightningConfig:
    """Return the checked section ``training.lightning``."""
    given = OmegaConf.to_container(training.lightning, resolve=True)
    return read(LightningConfig, given, "training.lightning")


def _precision(settings: LightningConfig, general: str) -> tuple[str, str]:
    """Return the key that sets the precision, and its value."""
    own = settings.precision
    if own is None or own == general or (own, general) == ("fp32", "tf32"):
        return "training.precision", general
    if general != "fp32":
        raise ConfigError(
            f"training.precision is {general}, but training.lightning.precision is {own}; set "
            "training.lightning.precision=null to use training.precision"
        )
    return "training.lightning.precision", own


def _trainer(
    settings: LightningConfig, strategy: str | Strategy, precision: str, training: Any
) -> Trainer:
    lightning_precision: Any = _PRECISIONS.get(precision, "32-true")
    trainer: Any = Trainer(
        accelerator="auto" if training.device == "cuda" else training.device,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy=strategy,
        precision=lightning_precision,
        detect_anomaly=bool(training.get("detect_anomaly")),
        max_epochs=1,
        # MMF's are used instead.
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    # Lightning's SIGTERM handler waits for all other processes inside the handler, ends the run
    # with status 0, and asks Slurm to requeue it. `mmf_cmsbert.trainers.ending` handles it instead.
    trainer._signal_connector.register_signal_handlers = lambda: None
    return trainer


def _start_others(strategy: DDPStrategy) -> None:
    cluster: Any = strategy.cluster_environment
    if cluster.creates_processes_externally:
        return
    variables = {
        "MASTER_ADDR": cluster.main_address,
        "MASTER_PORT": str(cluster.main_port),
        "NODE_RANK": str(cluster.node_rank()),
        "WORLD_SIZE": str(cluster.world_size()),
    }
    os.environ.update(variables)
    command = [sys.executable, *sys.orig_argv[1:]]
    environment = os.environ | {lost_processes.STARTED_BY: str(os.getpid())}
    others = {
        # Their output is the same as this process's.
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
