"""The record of a training run, ``run.json`` in ``env.save_dir``.

It contains the scores and everything that they depend on. MMF only logs scores with four digits,
without the code and data that produced them.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmf_cmsbert.files import WriteError, overwrite_text, replace_text
from mmf_cmsbert.records import provenance
from mmf_cmsbert.records.earlier_run import EarlierRun
from mmf_cmsbert.records.record import FORMAT, NAME
from mmf_cmsbert.utils.environment import with_values


class RunRecord:
    """The record of a run, written when the run starts and when it ends.

    Args:
        folder: the folder of the record.
        command: the typed arguments.
        config: the whole configuration in plain containers, resolved except for environment
            variables.
        seed: the seed in use, drawn or given.
        extractors: dataset -> card of the extractors of its frames, where it is known.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        config: Mapping[str, Any],
        seed: int | None,
        extractors: Mapping[str, Any] | None = None,
    ):
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
            "extractors": extractors or None,
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

    def trained(self, updates: int) -> None:
        """Record the number of updates at the end of training."""
        self.content["updates"] = updates

    def scored(self, split: str, update: int, metrics: Mapping[str, float]) -> None:
        """Record the metrics of an evaluation on the split ``val`` or ``test``."""
        self._scores[split, update] = dict(metrics)

    def end(self, best: tuple[int, float] | None) -> None:
        """Record the end of a finished and scored run.

        Args:
            best: update and criterion of the best validation; None if no validation was an
                improvement, so that the last weights were scored.
        """
        updates = self.content["updates"]
        update = updates if best is None else best[0]
        tests = [scores for (split, _), scores in self._scores.items() if split == "test"]
        self.content |= {
            "status": "finished",
            "ended": _now(),
            # Only now, because the run may have generated its data.
            "data": provenance.data_hashes(self.content["config"]),
            "best": best and {"update": best[0], "value": best[1]},
            # A resumed run lacks the scores of earlier validations; run_type=train_val_inference
            # validates the best checkpoint again.
            "validation": None if update is None else self._scores.get(("val", update)),
            "test": tests[-1] if tests else None,
        }
        self._write()

    def fail(self, error: BaseException, updates: int) -> None:
        """Record that the run ended before it was finished; a finished run stays so.

        Args:
            error: the reason.
            updates: number of updates made.
        """
        if self.content["status"] == "finished":  # an export or a report was interrupted
            return
        reason = " ".join(str(error).split())
        self.content |= {
            "status": "interrupted" if isinstance(error, KeyboardInterrupt) else "failed",
            "ended": _now(),
            "updates": updates,
            "error": f"{type(error).__name__}: {reason}" if reason else type(error).__name__,
        }
        try:
            self._write()
        except WriteError:  # if the disk is full, overwrite in place to save the reason
            overwrite_text(self.file, self._text())

    def _text(self) -> str:
        return json.dumps(self.content, indent=1) + "\n"

    def _write(self) -> None:
        replace_text(self.file, self._text())


@dataclass(frozen=True)
class Plan:
    """A command's request to record the run that it starts.

    Attributes:
        command: the typed arguments.
        config: the whole configuration in plain containers, resolved except for environment
            variables.
        earlier: the earlier run in the same folder, which is replaced, if any.
    """

    command: Sequence[str]
    config: Mapping[str, Any]
    earlier: EarlierRun | None = None

    def begin(self, seed: int | None, extractors: Mapping[str, Any] | None = None) -> RunRecord:
        """Delete the earlier run, and start the record.

        Args:
            seed: the seed in use, drawn or given.
            extractors: see :class:`RunRecord`.
        """
        if self.earlier:
            self.earlier.remove()
        folder = with_values(self.config["env"]["save_dir"])
        return RunRecord(folder, self.command, self.config, seed, extractors)


_plan: ContextVar[Plan | None] = ContextVar("plan", default=None)


@contextmanager
def recorded(
    command: Sequence[str], config: Mapping[str, Any], earlier: EarlierRun | None = None
) -> Iterator[None]:
    """Record a training run made in this block; arguments as for :class:`Plan`."""
    token = _plan.set(Plan(command, config, earlier))
    try:
        yield
    finally:
        _plan.reset(token)


def planned() -> Plan | None:
    """Return the current plan; None outside :func:`recorded`."""
    return _plan.get()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
