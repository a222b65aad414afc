"""Run the missing recipes and seeds of an ablation, and compare them."""

import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from mmf_cmsbert.checkpoints import model_files
from mmf_cmsbert.experiments import plot, results_json, table
from mmf_cmsbert.experiments.display import Display
from mmf_cmsbert.experiments.engines.engine import Engine, Task
from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.results import Results, collect
from mmf_cmsbert.experiments.scheduler import Outcome, run_all


def ablate(
    jobs: Sequence[Job],
    output: Path,
    engine: Engine,
    console: Console,
    command: Sequence[str],
    keep_weights: bool = False,
    difference: float | None = None,
) -> bool:
    """Run the unfinished jobs, and write and print the scores of all jobs.

    Args:
        jobs: from :func:`plan`; the first one's recipe is the reference.
        output: the folder for ``results.*``.
        engine: makes the runs.
        console: receives the output.
        command: the command line, for the Markdown file.
        keep_weights: whether finished runs keep their checkpoints.
        difference: of the criterion; the number of pairs that show it is stated.

    Returns:
        Whether all jobs have finished.
    """
    outcomes = run_missing(jobs, engine, console, keep_weights)
    results = collect(jobs)
    if results.runs:
        _report(results, jobs, output, console, command, difference)
    return list_failures(outcomes, len(jobs), console)


def list_failures(outcomes: Sequence[Outcome], total: int, console: Console) -> bool:
    """Print the runs that failed, if any, and return whether none did.

    Args:
        outcomes: of the runs that were made.
        total: number of all jobs.
        console: receives the output.
    """
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        console.print(f"\n{len(failed)} of {total} runs failed:", style="red")
        for outcome in failed:
            _say(console, f"  {outcome.job.label}: {outcome.error}\n    {outcome.job.log}")
        _say(console, "The same command repeats only these.")
    return not failed


def run_missing(
    jobs: Sequence[Job],
    engine: Engine,
    console: Console,
    keep_weights: bool = False,
    watch: Callable[[Task], None] | None = None,
) -> list[Outcome]:
    """Run the jobs whose folder holds no finished run with the same configuration, code and data.

    Args:
        jobs: the jobs.
        engine: makes the runs.
        console: receives the output.
        keep_weights: whether finished runs keep their checkpoints.
        watch: called when a run has made progress; what it raises stops the runs.

    Raises:
        KeyboardInterrupt: after the running jobs have been stopped and a message printed.
    """
    reasons = {job: job.reasons_to_repeat() for job in jobs}
    missing = [job for job in jobs if reasons[job]]
    done = len(jobs) - len(missing)
    if done:
        _say(console, f"{done} of {len(jobs)} runs are already done.")
    for job in missing:
        if (job.folder / "run.json").is_file():
            verb = "resumes" if job.can_resume() else "starts again"
            _say(console, f"{job.label} {verb}: {'; '.join(reasons[job])}")
    verb = "queued" if engine.slots is None else "started"
    with Display(console, done, len(jobs), verb) as display:
        watcher = _Tidy(display, keep_weights, watch)
        try:
            return run_all(missing, engine, watcher)
        except KeyboardInterrupt:
            count = sum(not job.reasons_to_repeat() for job in jobs)
            _say(
                console, f"Stopped; {count} of {len(jobs)} runs are done. The same command resumes."
            )
            if left := engine.left():
                _say(console, left)
            raise


class _Tidy:
    """A watcher that removes the checkpoints of finished jobs, and passes events to a display."""

    def __init__(self, display: Display, keep_weights: bool, watch: Callable[[Task], None] | None):
        self.started = display.started
        self._display, self._keep, self._watch = display, keep_weights, watch

    def progressed(self, job: Task, made: int, of: int) -> None:
        self._display.progressed(job, made, of)
        if self._watch:
            self._watch(job)

    def ended(self, outcome: Outcome) -> None:
        self._display.ended(outcome)
        if outcome.error is None and not self._keep:
            for pattern in ("*.ckpt", "models/*.ckpt", "*_final.pth"):
                for file in outcome.job.folder.glob(pattern):
                    file.unlink()
            if model_files.is_model(model := outcome.job.folder / model_files.OF_RUN):
                shutil.rmtree(model)


def _report(
    results: Results,
    jobs: Sequence[Job],
    output: Path,
    console: Console,
    command: Sequence[str],
    difference: float | None,
) -> None:
    files = [output / f"results.{kind}" for kind in ("csv", "md", "json", "png", "svg")]
    table.write_csv(files[0], results)
    table.write_markdown(files[1], results, jobs, shlex.join(command), difference)
    results_json.write_json(files[2], results, shlex.join(command), difference)
    table.show(table.scores(results), console)
    criterion = results.criterion()
    if criterion and len(results.recipes) > 1:
        table.show(table.comparisons(results, criterion), console)
        if len(powers := table.power(results, criterion, difference)) > 1:
            table.show(powers, console)
            console.print()
            _say(console, table.POWER_NOTE.format(reference=results.reference))
    console.print()
    _say(console, table.note(results))
    if results.metrics() and plot.can_plot():
        plot.write(results, *files[3:])
    else:
        files = files[:3]
        _say(
            console,
            "No plot: matplotlib is not installed (pip install 'mmf_cmsbert[experiments]').",
        )
    _say(console, "Written: " + ", ".join(map(str, files)))
    if count := sum((run.job.folder / table.REPORT).is_file() for run in results.runs):
        _say(console, f"{files[1].name} links the reports of {count} runs.")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
