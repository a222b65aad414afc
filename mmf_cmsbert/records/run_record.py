"""The record of a training run: ``run.json`` in ``env.save_dir``, all that its numbers depend on.

MMF prints scores with four digits, in a log, and names neither the code nor the data behind them.
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
    """What is known of a run, written when it begins and when it ends.

    Args:
        folder: where it is written.
        command: the words that were typed.
        config: the whole configuration in plain containers, resolved except for environment
            variables.
        seed: the seed in use, drawn or given.
    """

    def __init__(
        self, folder: Path, command: Sequence[str], config: Mapping[str, Any], seed: int | None
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
        """Take note of the number of updates at the end of training."""
        self.content["updates"] = updates

    def scored(self, split: str, update: int, metrics: Mapping[str, float]) -> None:
        """Take note of an evaluation: metric -> value, of ``val`` or ``test``."""
        self._scores[split, update] = dict(metrics)

    def end(self, best: tuple[int, float] | None) -> None:
        """The run is over and has been scored.

        Args:
            best: update and criterion of the best validation; None where no validation was better
                than nothing, and the last weights were scored.
        """
        updates = self.content["updates"]
        update = updates if best is None else best[0]
        tests = [scores for (split, _), scores in self._scores.items() if split == "test"]
        self.content |= {
            "status": "finished",
            "ended": _now(),
            # Only now: a run may make its own data.
            "data": provenance.data_hashes(self.content["config"]),
            "best": best and {"update": best[0], "value": best[1]},
            # A resumed run did not see the validations before; run_type=train_val_inference
            # validates the best checkpoint once more.
            "validation": None if update is None else self._scores.get(("val", update)),
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


@dataclass(frozen=True)
class Plan:
    """The record that a command wants of the run that it starts.

    Attributes:
        command: the words that were typed.
        config: the whole configuration in plain containers, resolved except for environment
            variables.
        earlier: the run in the same folder that this one replaces, if any.
    """

    command: Sequence[str]
    config: Mapping[str, Any]
    earlier: EarlierRun | None = None

    def begin(self, seed: int | None) -> RunRecord:
        """Remove the earlier run, and begin the record.

        Args:
            seed: the seed in use, drawn or given.
        """
        if self.earlier:
            self.earlier.remove()
        folder = with_values(self.config["env"]["save_dir"])
        return RunRecord(folder, self.command, self.config, seed)


_plan: ContextVar[Plan | None] = ContextVar("plan", default=None)


@contextmanager
def recorded(
    command: Sequence[str], config: Mapping[str, Any], earlier: EarlierRun | None = None
) -> Iterator[None]:
    """Let the training run that is made in this block keep a record; arguments as for Plan."""
    token = _plan.set(Plan(command, config, earlier))
    try:
        yield
    finally:
        _plan.reset(token)


def planned() -> Plan | None:
    """The plan of the run that is being made; None outside of :func:`recorded`."""
    return _plan.get()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
