"""Show the settings, progress and results of a run on the console."""

import shlex
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmf.common.registry import registry
from mmf.utils.distributed import is_master

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.both import prediction_files
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.console.run_display import Ending, RunDisplay, ValidationLine, duration
from mmf_cmsbert.records.history import Entry, Training
from mmf_cmsbert.trainers import run_facts

# Files in a run's folder -> their names in the closing table.
_LEFT = {"model": "model", "report.html": "report", "run.json": "record", "train.log": "log"}


class ShowsSummary(TrainerSteps):
    """Shows the run on the console, in the first process.

    A terminal shows a line for each validation, unless it shows MMF's whole log. Requires
    :class:`~mmf_cmsbert.trainers.history_keeping.KeepsHistory` and
    :class:`~mmf_cmsbert.trainers.tracking.TracksRun`.
    """

    tracker_views: dict[str, str]
    _display: RunDisplay | None = None

    def load_datasets(self) -> None:
        self._began = time.monotonic()
        self._scores: dict[tuple[str, int], dict[str, float]] = {}
        self._train_loss: float | None = None
        self._updates = 0
        prediction_files.forget()
        mmf_log.write_held()
        super().load_datasets()

    def train(self) -> None:
        with self._displayed():
            super().train()

    def inference(self) -> None:
        with self._displayed():
            super().inference()

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        super().make_updates(continues_epoch, stop)
        self._updates = self.num_updates  # the best checkpoint, loaded next, has its own

    def measured(self, entry: Entry) -> None:
        super().measured(entry)
        if isinstance(entry, Training):
            losses = [loss for loss in entry.losses.values() if loss is not None]
            self._train_loss = sum(losses) if losses else None

    def evaluate(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        report, meter = super().evaluate(*args, **kwargs)
        split = report.dataset_type
        self._scores[split, self.num_updates] = {
            name.removeprefix(f"{split}/"): float(each.global_avg)
            for name, each in meter.meters.items()
        }
        return report, meter

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        super().validated(criterion, value, best, update)
        if self._display is None or not mmf_log.is_summed_up():
            return
        self._display.validated(
            ValidationLine(
                self.num_updates,
                self.current_epoch,
                self._train_loss,
                self._scores.get(("val", self.num_updates), {}).get("total_loss"),
                (criterion.removeprefix("val/"), value),
                update == self.num_updates,
                time.monotonic() - self._began,
            )
        )

    @contextmanager
    def _displayed(self) -> Iterator[None]:
        """Show the run in this block at its start and, unless it fails, at its end."""
        if self._display is not None or not is_master():
            yield
            return
        display = self._display = RunDisplay(mmf_log.stream())
        try:
            display.begin(run_facts.of(self))
            yield
            display.end(self._ending())
        finally:
            self._display = None

    def _ending(self) -> Ending:
        folder = Path(self.config.env.save_dir)
        paths = {}
        if trains(self.run_type):
            left = {what: folder / name for name, what in _LEFT.items()}
            paths = {what: path for what, path in left.items() if path.exists()}
        for written in prediction_files.written():
            paths[f"predictions ({written.rows:,} rows)"] = written.file
        shown = {what: run_facts.shown(path) for what, path in paths.items()}
        shown |= self.tracker_views
        return Ending(self._headline(), self._final_scores(), shown, self._next(folder))

    def _headline(self) -> str:
        text = f"Finished in {duration(time.monotonic() - self._began)}"
        if trains(self.run_type):
            text += f": {self._updates:,} updates"
            stopping = self.early_stopping
            if stopping.activated and self._updates < self.config.training.max_updates:
                text += ", stopped early"
            if stopping.best_monitored_update:
                text += f", best at update {stopping.best_monitored_update:,}"
        return f"{text}; peak memory {run_facts.peak_memory(self.device)}"

    def _final_scores(self) -> dict[str, dict[str, float]]:
        """Return the scores of the best validation and of the last test: metric -> value."""
        found = {}
        best = self.early_stopping.best_monitored_update if trains(self.run_type) else 0
        for split, title in (("val", "validation"), ("test", "test")):
            updates = [update for each, update in self._scores if each == split]
            if not updates:
                continue
            chosen = best if best in updates else updates[-1]
            scores = _without_losses(self._scores[split, chosen])
            found[title] = _in_order(scores, self.config.evaluation.metrics)
        return _with_short_names(found)

    def _next(self, folder: Path) -> dict[str, str]:
        """Return next steps with a trained model: description -> command."""
        if not trains(self.run_type):
            return {}
        found = {}
        if (folder / "model").is_dir():
            model = shlex.quote(run_facts.shown(folder / "model"))
            found["try it"] = f'cmsbert predict {model} --text "I loved it"'
        run = shlex.quote(f"env.save_dir={run_facts.shown(folder)}")
        found["predict"] = f"mmf_predict {run} evaluation.predict_file_format=csv"
        return found


def _without_losses(scores: dict[str, float]) -> dict[str, float]:
    """Return the metrics among the values of an evaluation, or all values without metrics."""
    metrics = {name: value for name, value in scores.items() if not _is_loss(name)}
    return metrics or scores


def _in_order(scores: dict[str, float], metrics: Iterable[Any] | None) -> dict[str, float]:
    """The scores in the order of ``evaluation.metrics``, whatever the processes of a run give."""
    names = [each if isinstance(each, str) else each.get("key") for each in metrics or ()]
    places = {name: place for place, name in enumerate(names)}
    ordered = sorted(scores, key=lambda name: places.get(name.rpartition("/")[2], len(places)))
    return {name: scores[name] for name in ordered}


def _is_loss(name: str) -> bool:
    # A loss of several values has one more part: mosi/target_loss/emotion.
    parts = name.split("/")
    return parts[-1] == "total_loss" or any(map(registry.get_loss_class, parts))


def _with_short_names(columns: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Remove the dataset's name from the metrics if there is only one dataset."""
    datasets = {name.rpartition("/")[0] for scores in columns.values() for name in scores}
    if len(datasets) != 1:
        return columns
    return {
        title: {name.rpartition("/")[2]: value for name, value in scores.items()}
        for title, scores in columns.items()
    }
