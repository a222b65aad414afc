"""Checkpoints that are written whole, kept in the number wanted, and resumed exactly.

Decides which checkpoint a run loads, what a file of it holds and which files stay.
"""

import math
import re
from pathlib import Path
from typing import Any

from mmf.common.registry import registry
from mmf.utils import checkpoint as mmf_checkpoint
from mmf.utils.distributed import broadcast_scalar, is_master

from mmf_cmsbert.checkpoints import contents
from mmf_cmsbert.checkpoints import file as checkpoint_file
from mmf_cmsbert.compat.mmf import loaded
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.both import resume
from mmf_cmsbert.compat.mmf.both.checkpoint_loading import fitting
from mmf_cmsbert.compat.mmf.line import early_stopping, is_main, lr_scheduler
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config import environment, run_config
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers.run_checks import WeightsNotFiniteError, weights_not_finite


@patch(
    "mmf.utils.checkpoint.Checkpoint",
    why="MMF writes a checkpoint in place, so that an interruption destroys the previous one. rc10 "
    "keeps every snapshot; main always keeps some. On the command line rc10 takes resume=true for "
    "false; main takes resume=false for true. A run without any improvement ends with the weights "
    "of an earlier run's best.ckpt. rc10 has no fp16, and main fails to resume with fp16 a run "
    "that was made without it.",
    remove_when="MMF replaces checkpoints as a whole, reads its options as booleans, and ignores "
    "best.ckpt of other runs.",
)
def exact_checkpoints() -> None:
    cls = mmf_checkpoint.Checkpoint
    load_counts = "_load_counts_and_lr_scheduler" if is_main() else "_load_counts"
    original_init, original_load_counts = cls.__init__, getattr(cls, load_counts)
    original_restore, original_torch_load = cls.restore, cls._torch_load

    def __init__(self, trainer):
        _max_to_keep(trainer.config)  # a wrong value shows before training
        self.position, self.has_schedule, self.beginning = None, False, True
        original_init(self, trainer)

    def _load_counts(self, ckpt):
        self.position = ckpt.get("resume")
        # main alone writes it, and makes do without it in a way that is off
        self.has_schedule = is_main() and "lr_scheduler" in ckpt
        if is_main() and not self.has_schedule and (schedule := lr_scheduler(self.trainer)):
            ckpt = {**ckpt, "lr_scheduler": schedule.state_dict()}
        original_load_counts(self, ckpt)
        if not is_main():  # which has a step of its own for this
            self._load_fp16_scaler(ckpt)

    def _load_fp16_scaler(self, ckpt):
        # What it is without fp16 is empty, and a scaler that is to scale refuses that.
        scaler, kept = getattr(self.trainer, "scaler", None), ckpt.get("fp16_scaler")
        if scaler is not None and kept:
            scaler.load_state_dict(kept)

    def _torch_load(self, file):
        contents = original_torch_load(self, file)
        if self.beginning:
            loaded.check_configuration(self, contents, str(file))
        return contents

    def save_config(self):
        # A run that only evaluates leaves the configuration of the training before it alone.
        if is_master() and trains(self.config.run_type):
            config = run_config.saved(plain_config(self.config), Path.cwd())
            run_config.write(config, Path(self.ckpt_foldername) / run_config.NAME)

    def restore(self):
        # only the first process knows the best value
        none = math.isinf(early_stopping(self.trainer).best_monitored_value)
        if broadcast_scalar(none, src=0, device=getattr(self.trainer, "device", "cpu")):
            mmf_log.write("No evaluation gave a best checkpoint: the last weights stay.", "warning")
        else:
            original_restore(self)

    def finalize(self):
        if is_master():
            weights = checkpoint_file.plain(self.trainer.model.state_dict(), "model")
            checkpoint_file.write(weights, Path(self.pth_filepath))

    cls.__init__ = __init__
    setattr(cls, load_counts, _load_counts)
    cls._load_fp16_scaler = _load_fp16_scaler
    cls._torch_load = _torch_load
    cls._load_pretrained = loaded.copy_parts
    cls.save_config = save_config
    cls.restore = restore
    cls.finalize = finalize
    cls.load_state_dict = load_state_dict
    cls.save = save


def load_state_dict(self) -> None:
    """Go on from the run's own checkpoint, or begin with the weights of another, as configured."""
    options = self.config.checkpoint
    folder = Path(self.ckpt_foldername)
    names = ["current.ckpt", "best.ckpt"]
    if _truth("checkpoint.resume_best", options.resume_best):
        names.reverse()
    wanted, other = (folder / (self.ckpt_prefix + name) for name in names)
    resume = _truth("checkpoint.resume", options.resume)

    if resume and wanted.exists():
        _resume(self, wanted)
    elif resume and other.exists():
        mmf_log.write(f"There is no {wanted}; taking {other.name}.", "warning")
        _resume(self, other)
    elif options.resume_file and mmf_checkpoint.PathManager.exists(options.resume_file):
        self._load(str(options.resume_file), load_pretrained=options.resume_pretrained)
        loaded.check_left(self.trainer, options.resume_file, own=False)
    elif options.resume_zoo is not None:
        self._load(options.resume_zoo, load_zoo=True, load_pretrained=options.resume_pretrained)
    elif options.resume_file is not None:
        raise ConfigError(f"checkpoint.resume_file={options.resume_file}: there is no such file")
    elif resume:
        mmf_log.write(
            f"checkpoint.resume: there is no {wanted.name} in {folder.resolve()} to go on from; "
            "the run begins at update 0.",
            "warning",
        )
    self.beginning = False


def save(self, update: int, iteration: int | None = None, update_best: bool = False) -> None:
    """Write current.ckpt, models/model_<update>.ckpt and, with `update_best`, best.ckpt."""
    if not is_master():
        return
    keep = _max_to_keep(self.config)
    models, folder = Path(self.models_foldername), Path(self.ckpt_foldername)
    targets = [models / f"model_{update}.ckpt"] if keep else []
    if update_best:
        targets.append(folder / f"{self.ckpt_prefix}best.ckpt")
    # Last: what current.ckpt says of the best must never be newer than best.ckpt.
    targets.append(folder / f"{self.ckpt_prefix}current.ckpt")
    state = checkpoint_file.plain(_contents(self, update, iteration or update))
    if broken := contents.non_finite(state["model"]):
        raise WeightsNotFiniteError(weights_not_finite(update, broken))
    checkpoint_file.write(state, *targets)
    if is_main() and self.config.training.wandb.log_checkpoint:
        self.trainer.logistics_callback.wandb_logger.log_model_checkpoint(str(targets[-1]))

    if keep > 0:
        snapshots = [p for p in models.iterdir() if re.fullmatch(r"model_\d+\.ckpt", p.name)]
        # By time, not by number: the folder may hold an earlier run's.
        snapshots.sort(key=lambda path: path.stat().st_mtime_ns)
        for old in snapshots[:-keep]:
            old.unlink()


def _contents(checkpoint: Any, update: int, iteration: int) -> dict:
    trainer = checkpoint.trainer
    parallel = registry.get("data_parallel") or registry.get("distributed")
    model = trainer.model.module if parallel is True else trainer.model
    best = early_stopping(trainer)
    state = {
        checkpoint_file.FORMAT_KEY: checkpoint_file.FORMAT,
        "model": model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "best_iteration": best.best_monitored_iteration,
        "current_iteration": iteration,
        "current_epoch": trainer.current_epoch,
        "num_updates": update,
        "best_update": best.best_monitored_update,
        "best_metric_value": best.best_monitored_value,
        "config": run_config.saved(plain_config(checkpoint.config), Path.cwd()),
        "resume": resume.position(trainer),
    }
    if scaler := getattr(trainer, "scaler", None):  # for fp16
        state["fp16_scaler"] = scaler.state_dict()
    if checkpoint.git_repo:
        state.update(checkpoint._get_vcs_fields())
    return state


def _resume(checkpoint: Any, file: Path) -> None:
    checkpoint._load(str(file))
    with fitting(file):
        resume.begin(checkpoint.trainer, checkpoint.position, file)
    loaded.check_left(checkpoint.trainer, str(file), own=True)


def plain_config(config: Any) -> dict:
    """A configuration in plain containers, resolved except for environment variables."""
    return environment.without_values(config)


def _truth(key: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "1", "false", "0", "none"):
        raise ConfigError(f"{key}={value}: expected true or false")
    return text in ("true", "1")


def _max_to_keep(config: Any) -> int:
    value = config.checkpoint.get("max_to_keep", -1)
    if type(value) is not int or value < -1:
        raise ConfigError(
            f"checkpoint.max_to_keep={value}: expected how many snapshots stay in models/, "
            "-1 for all of them, 0 for none"
        )
    return value
