"""The checkpoints of a run: which one it loads, what they contain, and which ones are kept."""

import math
import re
from pathlib import Path
from typing import Any

from mmf.common.registry import registry
from mmf.utils import checkpoint as mmf_checkpoint
from mmf.utils.distributed import broadcast_scalar, is_master
from torch import Tensor

from mmf_cmsbert.checkpoints import (
    contents,
    finished,
    fit,
    form,
    model_files,
    model_folder,
    position,
)
from mmf_cmsbert.checkpoints import file as checkpoint_file
from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.config import run_config
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers import loaded_weights
from mmf_cmsbert.trainers.run_checks import WeightsNotFiniteError, weights_not_finite
from mmf_cmsbert.utils import environment

_NO_OPTIMIZER = (
    "The best checkpoint of a finished run holds its exported weights and no optimizer state: "
    "training continues from these weights with a new optimizer. current.ckpt is exact."
)
_Checkpoint: Any = line.part("checkpoint").Checkpoint


class RunCheckpoint(_Checkpoint):
    """MMF's checkpoint, written atomically and checked when it is loaded.

    It corrects these faults of MMF:

    - It overwrites the file in place, so an interruption destroys the previous checkpoint.
    - rc10 keeps every snapshot; main always keeps some.
    - On the command line rc10 reads resume=true as false, and main reads resume=false as true.
    - A run without any improvement ends with the weights of an earlier run's best.ckpt.
    - Weights that do not match are dropped, or raise an error of torch.

    Args:
        trainer: the trainer whose weights and counts are saved.
    """

    def __init__(self, trainer: Any):
        _max_to_keep(trainer.config)  # refuse an invalid value before training
        self.position: dict[str, Any] | None = None
        self.loaded_names: set[str] | None = None
        self.restored = False  # whether the best weights were loaded at the end
        self.saved_update: int | None = None  # of current.ckpt, as far as this process saved it
        self.beginning = True  # until the run's weights are loaded
        super().__init__(trainer)

    def save_config(self) -> None:
        """Write config.yaml, unless the run only evaluates; then the training's file is kept."""
        if is_master() and trains(self.config.run_type):
            config = run_config.saved(environment.without_values(self.config), Path.cwd())
            run_config.write(config, Path(self.ckpt_foldername) / run_config.NAME)

    def load_state_dict(self) -> None:
        """Resume from the run's own checkpoint, or load other weights, as configured."""
        options = self.config.checkpoint
        folder = Path(self.ckpt_foldername)
        names = ["current.ckpt", "best.ckpt"]
        if _truth("checkpoint.resume_best", options.resume_best):
            names.reverse()
        wanted, other = (folder / (self.ckpt_prefix + name) for name in names)
        resume = _truth("checkpoint.resume", options.resume)

        if resume and wanted.exists():
            self._resume(wanted)
        elif resume and other.exists():
            mmf_log.write(f"There is no {wanted}; loading {other.name} instead.", "warning")
            self._resume(other)
        elif options.resume_file and mmf_checkpoint.PathManager.exists(options.resume_file):
            self._load(str(options.resume_file), load_pretrained=options.resume_pretrained)
            loaded_weights.check_left(self.trainer, options.resume_file, own=False)
        elif options.resume_zoo is not None:
            self._load(options.resume_zoo, load_zoo=True, load_pretrained=options.resume_pretrained)
        elif options.resume_file is not None:
            raise ConfigError(
                f"checkpoint.resume_file={options.resume_file}: there is no such file"
            )
        elif resume:
            mmf_log.write(
                f"checkpoint.resume: there is no {wanted.name} in {folder.resolve()}; the run "
                "starts at update 0.",
                "warning",
            )
        self.beginning = False

    def _resume(self, file: Path) -> None:
        self._load(str(file))
        with fit.fitting(file):
            self.trainer.resume_from(self.position, file)
        loaded_weights.check_left(self.trainer, str(file), own=True)

    def _load(
        self, file: Any, force: bool = False, load_zoo: bool = False, load_pretrained: bool = False
    ) -> None:
        self.loaded_names = None
        with fit.fitting(file):
            super()._load(file, force=force, load_zoo=load_zoo, load_pretrained=load_pretrained)
            mapping = self.config.checkpoint.pretrained_state_mapping
            copies_a_part = load_pretrained and not force and mapping
            if self.loaded_names is not None and not copies_a_part:
                own = not load_zoo and str(file) != str(self.config.checkpoint.resume_file)
                strictly = own or "train" not in self.config.run_type
                wanted = set(self.trainer.model.state_dict())
                if warning := fit.check_names(wanted, self.loaded_names, file, strictly):
                    mmf_log.write(warning, "warning")
                fit.check_optimizer(self.trainer.optimizer, file)

    def _torch_load(self, file: Any) -> Any:
        is_model = model_files.is_model(Path(file))
        loaded = model_folder.as_checkpoint(Path(file)) if is_model else super()._torch_load(file)
        if self.beginning:
            found = getattr(self.trainer, "extractors", {})
            loaded_weights.check_configuration(self.config, loaded, str(file), found)
        return loaded

    def upgrade_state_dict(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        """Rename weights as MMF does, and keep their names to compare them with the model's."""
        result: dict[str, Any] = super().upgrade_state_dict(state_dict)
        self.loaded_names = set(result)
        return result

    def _load_optimizer(self, ckpt: dict[str, Any]) -> None:
        if isinstance(kept := ckpt.get("optimizer"), dict):
            own = self.trainer.optimizer.state_dict()["param_groups"]
            if wrong := form.difference(own, kept.get("param_groups"), "optimizer.param_groups"):
                raise ValueError(wrong)
        elif ckpt.get("resume"):  # the best checkpoint of a finished run
            if self.beginning and trains(self.config.run_type):
                mmf_log.write(_NO_OPTIMIZER, "warning")
            return
        super()._load_optimizer(ckpt)

    def _load_pretrained(self, ckpt: dict[str, Any]) -> None:
        loaded_weights.copy_parts(self.trainer.model, self.config.checkpoint, ckpt)

    def load_counts(self, ckpt: dict[str, Any]) -> None:
        """Restore the counts of a checkpoint, and keep its position."""
        self.position = ckpt.get("resume")
        super().load_counts(ckpt)

    def restore(self) -> None:
        """Load the best weights, if a validation of this run has saved any."""
        # Only the first process knows the best value.
        none = math.isinf(self.trainer.early_stopping.best_monitored_value)
        if broadcast_scalar(none, src=0, device=getattr(self.trainer, "device", "cpu")):
            mmf_log.write(
                "No evaluation saved a best checkpoint; using the last weights.", "warning"
            )
        else:
            self._release_state()
            super().restore()
            self.restored = self._file("best").is_file()

    def _release_state(self) -> None:
        """Free gradients and the optimizer's state, which no update needs any more.

        Otherwise a run needs the most memory while it reads these again from the best checkpoint.
        """
        self.trainer.optimizer.zero_grad(set_to_none=True)
        self.trainer.optimizer.state.clear()

    def finalize(self) -> None:
        """Make <model>_final.pth, which MMF's zoo reads: the same file as the best checkpoint.

        If nothing was validated it is the last checkpoint or, without one, the weights alone.
        """
        if not is_master():
            return
        final, source = Path(self.pth_filepath), self._file("best" if self.restored else "current")
        if self.restored or (self.saved_update == self.trainer.num_updates and source.is_file()):
            checkpoint_file.link(source, final)
        else:
            weights = checkpoint_file.plain(self.trainer.model.state_dict(), "model")
            checkpoint_file.write(weights, final)

    def before_export(self, weights: dict[str, Tensor]) -> None:
        """Called before the run's model is exported, or exported again, with these weights."""
        finished.release([self._file("best"), self._file("current")], weights)

    def exported(self, weights: dict[str, Tensor]) -> None:
        """Called when the run's model is exported: the checkpoints leave to it what it holds."""
        best = self._file("best") if self.restored else None
        finished.compact(best, self._file("current"), weights)
        Path(self.pth_filepath).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return Path(self.ckpt_foldername) / f"{self.ckpt_prefix}{name}.ckpt"

    def save(self, update: int, iteration: int | None = None, update_best: bool = False) -> None:
        """Write current.ckpt, models/model_<update>.ckpt and, with `update_best`, best.ckpt."""
        if not is_master():
            return
        keep = _max_to_keep(self.config)
        models = Path(self.models_foldername)
        targets = [models / f"model_{update}.ckpt"] if keep else []
        if update_best:
            targets.append(self._file("best"))
        # Last, because current.ckpt names the best update, which must already be in best.ckpt.
        targets.append(self._file("current"))
        state = checkpoint_file.plain(self._contents(update, iteration or update))
        if broken := contents.non_finite(state["model"]):
            raise WeightsNotFiniteError(weights_not_finite(update, broken))
        checkpoint_file.write(state, *targets)
        self.saved_update = update
        self.saved(targets[-1])
        if keep > 0:
            snapshots = [p for p in models.iterdir() if re.fullmatch(r"model_\d+\.ckpt", p.name)]
            # By time, not by number, because the folder may contain an earlier run's snapshots.
            snapshots.sort(key=lambda path: path.stat().st_mtime_ns)
            for old in snapshots[:-keep]:
                old.unlink()

    def _contents(self, update: int, iteration: int) -> dict[str, Any]:
        trainer = self.trainer
        parallel = registry.get("data_parallel") or registry.get("distributed")
        model = trainer.model.module if parallel is True else trainer.model
        best = trainer.early_stopping
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
            "config": run_config.saved(environment.without_values(self.config), Path.cwd()),
            "resume": position.capture(trainer),
        }
        if trainer.scaler:  # for fp16
            state["fp16_scaler"] = trainer.scaler.state_dict()
        if self.git_repo:
            state.update(self._get_vcs_fields())
        return state


def _truth(key: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "1", "false", "0", "none"):
        raise ConfigError(f"{key}={value}: expected true or false")
    return text in ("true", "1")


def _max_to_keep(config: Any) -> int:
    value = config.checkpoint.get("max_to_keep", -1)
    if type(value) is not int or value < -1:
        raise ConfigError(
            f"checkpoint.max_to_keep={value}: expected the number of snapshots to keep in models/, "
            "-1 for all, 0 for none"
        )
    return value
