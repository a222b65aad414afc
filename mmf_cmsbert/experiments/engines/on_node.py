"""A job on a machine of a cluster, where the queue may end it and start it again."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.process import JobProcess

_PAUSE = 0.5
# A job is started this often in a row without a new checkpoint.
_STARTS = 3
# What a job writes into its folder when it has saved something: a run, and any other job.
_SAVED = ("current.ckpt", "saved")
# By its full name: this module may run as __main__, or be read from a pickle.
RUN = "mmf_cmsbert.experiments.engines.on_node:begin_or_resume"


class RunOnNode:
    """Runs a job and returns its exit status. Called again, it continues the job.

    Args:
        entry: what is called, see :class:`.engine.Task`.
        words: the words of its command line.
        log: the file for its output.
        threads: number of CPU threads.
        idle: number of starts before this one, in a row, without a new checkpoint.
    """

    def __init__(self, entry: str, words: Sequence[str], log: Path, threads: int, idle: int = 0):
        self._entry, self._words, self._log, self._threads = entry, tuple(words), log, threads
        self._idle = idle
        self._run: JobProcess | None = None
        self._saved: int | None = None

    def __call__(self) -> int:
        self._saved = self._last_saved()
        self._run = JobProcess(self._words, self._log, self._threads, entry=self._entry)
        while (status := self._run.poll()) is None:
            time.sleep(_PAUSE)
        return status

    def checkpoint(self) -> Any:
        """Save and end the run, because its time is over; submitit queues what this returns.

        Raises:
            ConfigError: the job makes no progress in its time.
        """
        from submitit.helpers import DelayedSubmission

        if self._run is not None:
            self._run.stop()
        idle = self._idle + 1 if self._last_saved() == self._saved else 0
        if idle == _STARTS:
            raise ConfigError(
                f"it was ended {_STARTS} times in a row before it finished or saved a checkpoint; "
                "give it more time with --minutes, lower training.checkpoint_interval, or make its "
                "shards smaller"
            )
        again = RunOnNode(self._entry, self._words, self._log, self._threads, idle)
        return DelayedSubmission(again)

    def _last_saved(self) -> int | None:
        """Return when the job's last checkpoint was written, in nanoseconds; None without one."""
        files = [self._log.parent / name for name in _SAVED]
        return max((file.stat().st_mtime_ns for file in files if file.is_file()), default=None)


def begin_or_resume() -> None:
    """Run ``mmf_run`` with the words in ``sys.argv``, and resume what its folder holds of it."""
    from mmf_cmsbert.cli import mmf_run
    from mmf_cmsbert.config import overrides
    from mmf_cmsbert.experiments.job import Job, resolve

    words = sys.argv[1:]
    folder = Path(str(overrides.parse(words)["env.save_dir"]))
    resumes = False
    if (folder / "current.ckpt").is_file():  # else the configuration need not be read twice
        resumes = Job("", "", 0, folder, tuple(words), resolve(words)).can_resume()
    sys.argv[1:] = words_of(words, resumes)
    mmf_run()


def words_of(words: Sequence[str], resumes: bool) -> list[str]:
    """Return the words of ``mmf_run`` that begin a run, or resume the one in its folder."""
    return [
        *words,
        f"checkpoint.resume={str(resumes).lower()}",
        # A run that cannot be used for this job is replaced in the same folder.
        f"env.overwrite={str(not resumes).lower()}",
    ]


def main() -> None:
    """Run ``python -m mmf_cmsbert.experiments.engines.on_node ENTRY LOG THREADS WORD...``."""
    entry, log, threads, *words = sys.argv[1:]
    sys.exit(RunOnNode(entry, words, Path(log), int(threads))())


if __name__ == "__main__":
    main()
