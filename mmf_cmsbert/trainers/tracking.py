"""Reports a run to experiment trackers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmf.utils.configuration import get_mmf_env
from mmf.utils.distributed import is_master

from mmf_cmsbert.checkpoints import generators
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.records.history import Entry, Training
from mmf_cmsbert.trackers import TrackedRun, Tracker, check, open_all
from mmf_cmsbert.utils.environment import without_values


class TracksRun(TrainerSteps):
    """Reports losses, learning rates, metrics and the model's diagnostics of a training run.

    ``training.trackers`` names the trackers. ``training.tensorboard`` and
    ``training.wandb.enabled``, keys of MMF, name one each. Diagnostics are computed in logged
    updates only, from the batch of the first process, without drawing random numbers. Requires
    :class:`~mmf_cmsbert.trainers.history_keeping.KeepsHistory`.
    """

    tracker_names: tuple[str, ...] = ()
    tracker_views: dict[str, str]  # name -> how to look at it
    trackers: list[Tracker] | None = None  # while a run is tracked
    _norms: "NormWriter | None" = None
    _report: Any = None

    def load_datasets(self) -> None:
        self.tracker_names = names(self.config.training) if is_master() else ()
        self.tracker_views = {}
        check(self.tracker_names)
        super().load_datasets()

    def norm_writer(self) -> Any:
        self._norms = NormWriter(self._log_file) if names(self.config.training) else None
        return self._norms

    def train(self) -> None:
        if not self.tracker_names or not trains(self.run_type):
            super().train()
            return
        before = generators.capture()
        self.trackers = open_all(self.tracker_names, self._tracked_run())
        generators.restore(before)
        views = (each.view for each in self.trackers)
        self.tracker_views = dict(zip(self.tracker_names, views, strict=True))
        finished = False
        try:
            super().train()
            finished = True
        finally:
            self._call_each("the end of the run", lambda tracker: tracker.close(finished))
            self.trackers = None

    def _tracked_run(self) -> TrackedRun:
        folder = Path(self.config.env.save_dir)
        log_folder = get_mmf_env(key="tensorboard_logdir") or get_mmf_env(key="log_dir")
        return TrackedRun(
            str(self.config.training.experiment_name),
            folder,
            Path(log_folder or folder / "logs"),
            without_values(self.config),
            self.num_updates,
        )

    def _forward_pass(self, batch: Any) -> Any:
        report = super()._forward_pass(batch)
        # Of the update that is being made
        if self.trackers and self.model.training and self._is_logged(self.num_updates + 1):
            self._report = report
        return report

    def measured(self, entry: Entry) -> None:
        super().measured(entry)
        if not self.trackers:
            return
        if isinstance(entry, Training):
            self._track(self._of_training(entry), entry.update)
        else:
            self._track(_named("val", entry.validation), entry.update)

    def evaluate(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        report, meter = super().evaluate(*args, **kwargs)
        if self.trackers and report.dataset_type == "test":
            values = {name: each.global_avg for name, each in meter.meters.items()}
            self._track(values, self.num_updates)
        return report, meter

    def _of_training(self, entry: Training) -> dict[str, float | None]:
        losses = [each for each in entry.losses.values() if each is not None]
        values = _named("train", {"total_loss": sum(losses), **entry.losses})
        rates = [float(each["lr"]) for each in self.optimizer.param_groups]
        values["train/learning_rate"] = rates[0]
        for number, rate in enumerate(rates[1:], 1):
            if rate != rates[0]:
                values[f"train/learning_rate_of_group_{number}"] = rate
        if self._norms is not None:
            values |= _named("train", {k: float(v) for k, v in self._norms.values.items()})
        report, self._report = self._report, None
        model = getattr(self.model, "module", self.model)
        if report is not None and hasattr(model, "diagnostics"):
            values |= _named("model", model.diagnostics(report))
        return values

    def _is_logged(self, update: int) -> bool:
        return update % self.config.training.log_interval == 0

    def _track(self, values: Mapping[str, float | None], update: int) -> None:
        known = {name: float(value) for name, value in values.items() if value is not None}
        self._call_each(f"update {update}", lambda tracker: tracker.log(known, update))

    def _log_file(self, path: str) -> None:
        self._call_each(path, lambda tracker: tracker.log_file(Path(path)))

    def _call_each(self, what: str, call: Callable[[Tracker], None]) -> None:
        """Call each tracker; one that fails is reported, and does not end the run."""
        for name, tracker in zip(self.tracker_names, self.trackers or (), strict=False):
            try:
                call(tracker)
            except Exception as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                mmf_log.write(f"{name} has not recorded {what}: {reason}", "warning")


class NormWriter:
    """Takes the place of MMF's writers, and keeps the norm of the gradients that they are given.

    Losses and metrics reach the trackers as the history of the run has them, on both lines of MMF.

    Args:
        log_file: receives the path of a checkpoint, with ``training.wandb.log_checkpoint``.

    Attributes:
        values: name -> the last norm.
    """

    def __init__(self, log_file: Callable[[str], None]):
        self.values: dict[str, Any] = {}
        self._log_file = log_file

    def add_scalars(self, values: Mapping[str, Any], iteration: int) -> None:
        """Keep norms of gradients, and nothing else."""
        self.values |= {name: each for name, each in values.items() if name.endswith("grad_norm")}

    def log_metrics(self, values: Mapping[str, Any], commit: bool = True) -> None:
        """Do nothing."""

    def log_model_checkpoint(self, path: str) -> None:
        """Hand over the path of a checkpoint."""
        self._log_file(path)

    def close(self) -> None:
        """Do nothing."""


def names(training: Any) -> tuple[str, ...]:
    """The trackers that the section ``training`` names, each once."""
    found = list(training.get("trackers") or ())
    if training.get("tensorboard"):
        found.append("tensorboard")
    if (training.get("wandb") or {}).get("enabled"):
        found.append("wandb")
    return tuple(dict.fromkeys(found))


def _named(prefix: str, values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {f"{prefix}/{name}": value for name, value in values.items()}
