"""What a job does: it makes its shards one after the other, and records each."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mmf_cmsbert import console
from mmf_cmsbert.console import signals
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import WriteError
from mmf_cmsbert.sharding.plan import Plan, Shard, read_plan

COMMANDS = {"predictions": "cmsbert predict", "stores": "cmsbert data convert"}
ENTRY = f"{__name__}:main"


class Work(Protocol):
    """Makes the shards of a plan."""

    def is_done(self, shard: Shard) -> bool:
        """Return whether the shard's result holds: its input and its output are unchanged."""

    def make(self, shard: Shard) -> Mapping[str, Any]:
        """Make a shard's output, completely or not at all.

        Returns:
            Its result in plain values, with at least ``rows`` and ``bad_rows``.

        Raises:
            UserError: the input cannot be used, or the output cannot be written.
        """


def work_of(plan: Plan) -> Work:
    """Return what makes the shards of a plan. Models are loaded when they are first needed."""
    if plan.kind == "predictions":
        from mmf_cmsbert.sharding.prediction import Prediction

        return Prediction(plan)
    from mmf_cmsbert.sharding.conversion import Conversion

    return Conversion(plan)


def run_job(plan: Plan, job: int, work: Work, made: Callable[[int, int], Any]) -> int:
    """Make the shards of a job that are not done; an error does not stop the others.

    Args:
        plan: the plan.
        job: the number of the job.
        work: makes the shards.
        made: called with the shards that are finished, and the number of all.

    Returns:
        How many failed; their errors are recorded.

    Raises:
        WriteError: the disk is full.
    """
    shards = plan.of_job(job)
    failed = 0
    for number, shard in enumerate(shards, 1):
        if shard.result is None or not work.is_done(shard):
            try:
                result = dict(work.make(shard))
                if (folder := plan.folder_of(job)).is_dir():
                    (folder / "saved").touch()  # see on_node
            except WriteError:
                raise
            except (UserError, OSError, MemoryError) as error:
                failed += 1
                result = {"error": str(error) or type(error).__name__}
            plan.record(shard, result)
        made(number, len(shards))
    return failed


def main() -> None:
    """Make the shards of a job; ``sys.argv`` has the folder of results and the job's number."""
    folder, job = Path(sys.argv[1]), int(sys.argv[2])
    command = "cmsbert"
    with console.command(command), signals.raised():
        try:
            plan = read_plan(folder)
            assert plan is not None, folder
            command = COMMANDS[plan.kind]
            plan, _ = plan.with_results()
            if failed := run_job(plan, job, work_of(plan), _say):
                sys.exit(f"{command}: error: {failed} of its shards failed")
        except UserError as error:
            sys.exit(f"{command}: error: {error}")


def _say(made: int, of: int) -> None:
    print(f"progress: {made}/{of}", flush=True)
