"""Find a recipe's best setting on validation, and write it as a recipe."""

import csv
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console

from mmf_cmsbert.config import overrides
from mmf_cmsbert.errors import ConfigError, DataError, UserError
from mmf_cmsbert.experiments import recipe as recipes
from mmf_cmsbert.experiments.ablation import run_missing
from mmf_cmsbert.experiments.engines.engine import Engine, Task
from mmf_cmsbert.experiments.job import Job, plan
from mmf_cmsbert.experiments.search import TrialFailed, open_study, search, tried, writing
from mmf_cmsbert.experiments.shared_search import Report, ended, open_shared, search_together
from mmf_cmsbert.experiments.space import Dimension, word
from mmf_cmsbert.files import is_write_error, replaced_file
from mmf_cmsbert.records import history, record
from mmf_cmsbert.utils.folder_lock import wait_until_free

# The test split is not scored.
RUN_TYPE = "train_val"


@dataclass(frozen=True)
class Tuning:
    """A search over a recipe.

    Attributes:
        recipe: the file to vary.
        space: the keys to vary.
        options: ``KEY=VALUE`` words for all trials.
        seeds: seeds of each trial; a trial's score is the mean over them.
        output: the folder of trials, study and results.
        engine: makes the runs.
        resolve: returns the complete configuration for words of ``mmf_run``.
        console: receives the output.
        storage: of a search that several workers share: the URL of a database, or a journal file;
            None for a search of its own, in ``study.db``.
        prune: whether to end trials that are worse than the median of the others; only shared.
    """

    recipe: Path
    space: Sequence[Dimension]
    options: Sequence[str]
    seeds: Sequence[int]
    output: Path
    engine: Engine
    resolve: Callable[[Sequence[str]], Mapping[str, Any]]
    console: Console
    storage: str | None = None
    prune: bool = False

    def run(self, trials: int, seed: int, overwrite: bool = False) -> Path | None:
        """Search, and write ``trials.csv`` and ``best.yaml``.

        Args:
            trials: number of settings to try, earlier calls included.
            seed: seed of the draws.
            overwrite: whether to remove an earlier search in ``output``, with its trials.

        Returns:
            The path of ``best.yaml``; None if no trial succeeded.

        Raises:
            ConfigError: a key of the space is unknown, or ``output`` holds another search.
            UserError: the disk is full, for the search or for a run. The trial is repeated when the
                search is continued.
        """
        config = self._tried_out()
        stop = config["training"]["early_stop"]
        name, minimize = stop["criteria"], stop["minimize"]
        keys = [dimension.key for dimension in self.space]
        made_with = {
            key: value for key, value in record.flat(config) if not key.startswith(tuple(keys))
        }
        made_with |= {f"space {dimension.key}": repr(dimension) for dimension in self.space}
        made_with |= {"--seeds": list(self.seeds), "--search-seed": seed}
        if overwrite:
            for name in ("study.db", "trials.csv", "best.yaml"):
                (self.output / name).unlink(missing_ok=True)
            shutil.rmtree(self.output / "trials", ignore_errors=True)

        def evaluate(number: int, values: Mapping[str, Any], report: Report | None = None) -> float:
            shown = ", ".join(f"{key.rpartition('.')[2]}={v}" for key, v in values.items())
            of = (
                f" of {trials}" if self.storage is None else ""
            )  # numbers of interrupted ones count
            self._say(f"trial {number + 1}{of}: {shown}")
            return self._score(number, values, name, report)

        if self.storage is None:
            file = self.output / "study.db"
            study = open_study(file, minimize, made_with)
            with writing(file):
                search(study, self.space, trials, seed, evaluate)
            done = tried(study)
        else:
            study = open_shared(self.storage, self.recipe.stem, minimize, made_with)
            search_together(study, self.space, trials, seed, evaluate, self.prune)
            done = ended(study)
        self._write_trials(done, name)
        if not any(trial.state.name == "COMPLETE" for trial in done):
            self._say("No trial could be scored.")
            return None
        best = study.best_trial
        number = [trial.number for trial in done].index(best.number) + 1
        values = best.user_attrs["values"]
        about = f"Trial {number} of {len(done)}: validation {name} {best.value:.6f}"
        about += f", mean of seeds {self.seeds[0]} to {self.seeds[-1]}" * (len(self.seeds) > 1)
        self._say(f"Best: {about}")
        return self._write_best(values, about)

    def _tried_out(self) -> Mapping[str, Any]:
        """Return the configuration for one setting of the space, to check its keys."""
        clash = set(overrides.parse(self.options)) & {each.key for each in self.space}
        if clash:
            raise ConfigError(f"{clash.pop()} is both in the space and typed; remove one of them")
        (job,) = self._jobs(0, {each.key: each.first() for each in self.space}, self.seeds[:1])
        return job.config

    def _jobs(self, number: int, values: Mapping[str, Any], seeds: Sequence[int]) -> list[Job]:
        words = [*self.options, *(word(key, value) for key, value in values.items())]
        folder = self.output / "trials" / str(number + 1)
        return plan([self.recipe], [], seeds, words, folder, self.resolve, RUN_TYPE)

    def _score(
        self, number: int, values: Mapping[str, Any], criterion: str, report: Report | None
    ) -> float:
        jobs = self._jobs(number, values, self.seeds)
        watch = None if report is None else _Reporter(criterion, report)
        if self.storage is not None:  # a dead worker's run may still be saving its state
            for job in jobs:
                wait_until_free(job.folder)
        for outcome in run_missing(jobs, self.engine, self.console, watch=watch):
            if outcome.error:
                what = f"{outcome.job.label}: {outcome.error} ({outcome.job.log})"
                if is_write_error(outcome.error):  # which says nothing about the setting
                    raise UserError(f"{what}. The same command continues the search")
                raise TrialFailed(what)
        bests = [record.read(job.folder)["best"] for job in jobs]
        if None in bests:
            raise TrialFailed("no validation gave a number")
        return fmean(best["value"] for best in bests)

    def _write_trials(self, trials: Sequence[Any], criterion: str) -> None:
        keys = [dimension.key for dimension in self.space]
        with (
            replaced_file(self.output / "trials.csv") as unfinished,
            open(unfinished, "w", newline="", encoding="utf-8") as stream,
        ):
            rows = csv.writer(stream)
            rows.writerow(["trial", f"val/{criterion}", *keys, "error"])
            for number, trial in enumerate(trials, 1):
                values, error = trial.user_attrs["values"], trial.user_attrs.get("error")
                error = error or ("pruned" if trial.state.name == "PRUNED" else None)
                rows.writerow([number, trial.value, *(values[key] for key in keys), error])

    def _write_best(self, values: Mapping[str, Any], about: str) -> Path:
        words = [*self.options, *(word(key, value) for key, value in values.items())]
        config = self.resolve([f"config={self.recipe.resolve()}", *words])
        content = part_of(config, [*overrides.parse(self.options), *values])
        file = recipes.write(self.output / "best.yaml", about, self.recipe, content)
        self._say(f"Written: {file}, {self.output / 'trials.csv'}")
        self._say(f"Train and test it:\n  {self._command(words)}")
        return file

    def _command(self, words: Sequence[str]) -> str:
        """The command that trains the recipe with the words of a setting, for a shell."""
        folder = self.output / "best"
        last = [f"training.seed={self.seeds[0]}", f"env.save_dir={folder}"]
        return shlex.join(["mmf_run", f"config={self.recipe.resolve()}", *words, *last])

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Reporter:
    """Passes each validation score of a running trial on once."""

    def __init__(self, criterion: str, report: Report):
        self._criterion, self._report = criterion, report
        self._reported = 0

    def __call__(self, job: Task) -> None:
        with suppress(DataError):  # the file is just being replaced
            for entry in history.read(job.folder):
                if isinstance(entry, history.Validation) and entry.update > self._reported:
                    score = entry.validation.get(self._criterion)
                    self._reported = entry.update
                    if score is not None:
                        self._report(entry.update, score)


def part_of(config: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return the values of some keys of a configuration, as sections; for an item, its list."""
    content: dict[str, Any] = {}
    for key in keys:
        *sections, name = key.partition("[")[0].split(".")
        source, target = config, content
        for section in sections:
            source, target = source[section], target.setdefault(section, {})
        target[name] = source[name]
    return content
