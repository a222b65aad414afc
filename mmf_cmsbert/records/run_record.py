"""The record of a training run: ``run.json`` in ``env.save_dir``, all that its numbers depend on.

MMF prints scores with four digits, in a log, and names neither the code nor the data behind them.
"""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.config.environment import with_values
from mmf_cmsbert.console import signals
from mmf_cmsbert.files import WriteError, overwrite_text, replace_text
from mmf_cmsbert.records import provenance
from mmf_cmsbert.records.earlier_run import EarlierRun
from mmf_cmsbert.records.record import FORMAT, NAME


class RunRecord:
    """What is known of a run, written when it begins and when it ends.

    Args:
        folder: where it is written.
        command: the words that were typed.
        config: the whole configuration in plain containers, resolved except for environment
            variables.
        seed: the seed in use, drawn or given.
    """

    def __init__(self, folder: Path, command: Sequence[str], config: Mapping, seed: int | None):
        self.file = Path(folder) / NAME
        stop = config["training"]["early_stop"]
        self.content: dict[str, Any] = {
            "format": FORMAT,
            "status": "running",
            "command": shlex.join(command),
            "started": _now(),
            "ended": None,
            "seed": seed,
            "commit": provenance.commit(),
            "code_sha256": provenance.code_sha256(),
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "data": None,
            "backbone": provenance.backbone_identity(with_values(config)),
            "criterion": {"name": stop["criteria"], "minimize": stop["minimize"]},
            "best": None,
            "updates": None,
            "validation": None,
            "test": None,
            "error": None,
            "config": config,
        }
        self._scores: dict[tuple[str, int], dict[str, float]] = {}
        self._write()

    def scored(self, split: str, update: int, metrics: Mapping[str, float]) -> None:
        """Take note of an evaluation: metric -> value, of ``val`` or ``test``."""
        self._scores[split, update] = dict(metrics)

    def end(self, best: tuple[int, float] | None) -> None:
        """The run is over and has been scored.

        Args:
            best: update and criterion of the best validation; None where no validation was better
                than nothing, and the last weights were scored.
        """
        # Each run ends with a validation, and only then goes back to its best checkpoint.
        updates = max((update for _, update in self._scores), default=None)
        update = updates if best is None else best[0]
        tests = [scores for (split, _), scores in self._scores.items() if split == "test"]
        self.content |= {
            "status": "finished",
            "ended": _now(),
            # Only now: a run may make its own data.
            "data": provenance.data_hashes(self.content["config"]),
            "best": best and {"update": best[0], "value": best[1]},
            "updates": updates,
            # A resumed run did not see the validations before; run_type=train_val_inference
            # validates the best checkpoint once more.
            "validation": self._scores.get(("val", update)),
            "test": tests[-1] if tests else None,
        }
        self._write()

    def fail(self, error: BaseException, updates: int) -> None:
        """The run ended before it was finished.

        Args:
            error: why.
            updates: how many were made.
        """
        reason = " ".join(str(error).split())
        self.content |= {
            "status": "interrupted" if isinstance(error, KeyboardInterrupt) else "failed",
            "ended": _now(),
            "updates": updates,
            "error": f"{type(error).__name__}: {reason}" if reason else type(error).__name__,
        }
        try:
            self._write()
        except WriteError:  # the disk is full; the reason why the run broke off matters more
            overwrite_text(self.file, self._text())

    def _text(self) -> str:
        return json.dumps(self.content, indent=1) + "\n"

    def _write(self) -> None:
        replace_text(self.file, self._text())


def activate(command: Sequence[str], config: Mapping, earlier: EarlierRun | None = None) -> None:
    """Have MMF's trainer keep the record of the one run that this process is about to make.

    Args:
        command: the words that were typed.
        config: the whole configuration in plain containers, resolved except for environment
            variables.
        earlier: the run in the same folder that this one replaces, if any.
    """
    from mmf.utils.distributed import is_master

    trainer = mmf_line.trainer_class()
    original_train, original_evaluate = trainer.train, trainer.evaluate

    def train(self):
        # What only scores or predicts leaves the record of the training before it alone.
        if "train" not in self.run_type or not is_master():
            return original_train(self)
        # Data, model and optimizer have been built: what could be wrong with them has shown.
        if earlier:
            earlier.remove()
        record = RunRecord(
            with_values(config["env"]["save_dir"]), command, config, self.config.training.seed
        )
        self.run_record = record
        signals.on_sudden_end(lambda interrupted: record.fail(interrupted, self.num_updates))
        try:
            original_train(self)
        except BaseException as error:
            record.fail(error, self.num_updates)
            raise
        record.end(_best(self.early_stopping))

    def evaluate(self, *args, **kwargs):
        report, meter = original_evaluate(self, *args, **kwargs)
        if record := getattr(self, "run_record", None):
            prefix = f"{report.dataset_type}/"
            scores = {
                name.removeprefix(prefix): float(meter.meters[name].global_avg)
                for name in report.metrics
            }
            record.scored(report.dataset_type, self.num_updates, scores)
        return report, meter

    trainer.train, trainer.evaluate = train, evaluate


def _best(early_stopping: Any) -> tuple[int, float] | None:
    value = float(early_stopping.best_monitored_value)
    return (int(early_stopping.best_monitored_update), value) if math.isfinite(value) else None


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
