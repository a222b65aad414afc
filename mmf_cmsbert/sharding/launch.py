"""Have the shards of a plan made: here or by an engine, until all are done or have failed."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.display import Display
from mmf_cmsbert.experiments.engines.engine import Engine
from mmf_cmsbert.experiments.scheduler import Outcome, run_all
from mmf_cmsbert.sharding.job import ShardJob
from mmf_cmsbert.sharding.plan import FOLDER, NAME, Plan, continued, divided, read_plan
from mmf_cmsbert.sharding.work import Work, run_job, work_of

# What rows become, by the kind of a plan.
_NAMES = {"predictions": "predictions", "stores": "segments"}


@dataclass(frozen=True)
class Made:
    """What became of the shards.

    Attributes:
        plan: the manifest as it is now.
        failed: output -> why it was not made.
    """

    plan: Plan
    failed: Mapping[str, str]


def prepare(wanted: Plan, names: Mapping[str, str], console: Console) -> Plan:
    """Write the manifest of the wanted shards, with the results there that still hold.

    Args:
        wanted: the plan of this command.
        names: key of ``made_with`` -> what to call it in a message.
        console: receives the output.

    Raises:
        ConfigError: the folder holds something else, or was made with other options.
    """
    earlier = read_plan(wanted.folder)
    if earlier is not None:
        earlier, _ = earlier.with_results()
    plan = continued(earlier, wanted, names)
    if earlier is not None:
        _leave_out(earlier, wanted)
    work, shards, changed = work_of(plan), [], 0
    for each in plan.shards:
        if each.result is not None and not work.is_done(each):
            each, changed = replace(each, result=None), changed + 1
        shards.append(each)
    plan = divided(replace(plan, shards=tuple(shards)), earlier)
    if done := sum(each.result is not None for each in shards):
        _say(console, f"{done} of {len(shards)} shards are already done.")
    if changed:
        _say(console, f"{changed} shards are made again: the input or the output has changed.")
    plan.write()
    if earlier is not None:
        earlier.forget_results()
    return plan


def _leave_out(earlier: Plan, wanted: Plan) -> None:
    """Remove stores of inputs that are not wanted any more; refuse to keep their predictions."""
    inputs = {(each.input, each.split) for each in wanted.shards}
    others = [each for each in earlier.shards if (each.input, each.split) not in inputs]
    for each in others:
        if earlier.kind == "stores":
            shutil.rmtree(earlier.folder / each.output, ignore_errors=True)
    left = [each for each in others if (earlier.folder / each.output).exists()]
    if left:
        raise ConfigError(
            f"{earlier.folder} holds {earlier.kind} of {len(left)} shards that are not named now, "
            f"such as {left[0].input}; name them too, type --output FOLDER for another folder, or "
            f"remove {earlier.folder / left[0].output}"
        )


def make(plan: Plan, engine: Engine | None, console: Console) -> Made:
    """Make the shards that are not done, and write their results into the manifest.

    Args:
        plan: from :func:`prepare`.
        engine: where; None for this process.
        console: receives the output.

    Raises:
        KeyboardInterrupt: after the jobs have been stopped, unless they outlive this command, and
            a message printed.
        WriteError: the disk is full.
    """
    numbers = dict.fromkeys(each.job for each in plan.shards if each.result is None)
    jobs = [_job(plan, number) for number in numbers]
    done = sum(each.result is not None for each in plan.shards)
    verb = "queued" if engine is not None and engine.slots is None else "started"
    outcomes: list[Outcome] = []
    try:
        with Display(console, done, len(plan.shards), verb, "shards") as display:
            if engine is not None:
                outcomes = run_all(jobs, engine, display)
            else:
                work = work_of(plan)
                for job in jobs:
                    outcomes.append(_here(plan, job, work, display))
    except KeyboardInterrupt:
        found, _ = plan.with_results()
        count = sum(each.result is not None for each in found.shards)
        _say(
            console,
            f"Stopped; {count} of {len(plan.shards)} shards are done. The same command continues.",
        )
        if engine is not None and (left := engine.left()):
            _say(console, left)
        raise
    return _collected(plan, outcomes)


def _collected(plan: Plan, outcomes: Sequence[Outcome]) -> Made:
    """Move the results of jobs into the manifest, after comparing them with the outputs."""
    found, errors = plan.with_results()
    work, failed, shards = work_of(plan), {}, []
    lost = {
        output: f"{outcome.error} ({outcome.job.log})"
        for outcome in outcomes
        if outcome.error and isinstance(outcome.job, ShardJob)
        for output in outcome.job.shards
    }
    for before, each in zip(plan.shards, found.shards, strict=True):
        if each.result is None:
            why = errors.get(each.output) or lost.get(each.output)
            failed[each.output] = why or "no job has made it"
        elif before.result is None and not work.is_done(each):
            failed[each.output] = "its input or output was changed by another process meanwhile"
            each = replace(each, result=None)
        shards.append(each)
    checked = replace(found, shards=tuple(shards))
    checked.write()
    found.forget_results()
    return Made(checked, failed)


def _job(plan: Plan, number: int) -> ShardJob:
    shards = plan.of_job(number)
    left = sum(each.result is None for each in shards)
    return ShardJob(plan.folder, number, tuple(each.output for each in shards), left)


def _here(plan: Plan, job: ShardJob, work: Work, display: Display) -> Outcome:
    display.started(job)
    failed = run_job(plan, job.number, work, lambda made, of: display.progressed(job, made, of))
    outcome = Outcome(job, f"{failed} of its shards failed" if failed else None)
    display.ended(outcome)
    return outcome


def report(made: Made, console: Console) -> bool:
    """Print the failures, or the sums over all shards; return whether every shard is done."""
    plan = made.plan
    if made.failed:
        failed, of = len(made.failed), len(plan.shards)
        console.print(f"{failed} of {of} shards failed:", style="red", highlight=False)
        inputs = {each.output: each.input for each in plan.shards}
        for output, why in made.failed.items():
            _say(console, f"  {inputs[output]}: {why}")
        _say(console, "The others are done. The same command makes only these.")
        return False
    rows = sum(each.result["rows"] for each in plan.shards if each.result)
    bad = sum(each.result["bad_rows"] for each in plan.shards if each.result)
    plan = replace(plan, counts={"shards": len(plan.shards), "rows": rows, "bad_rows": bad})
    plan.write()
    _say(
        console,
        f"{plan.folder}: {len(plan.shards)} shards, {rows:,} rows in, {rows - bad:,} "
        f"{_NAMES[plan.kind]} out in the same order, {bad:,} unusable row{'s' * (bad != 1)} "
        f"({FOLDER}/{NAME})",
    )
    return True


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
