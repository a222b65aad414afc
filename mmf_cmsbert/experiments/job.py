"""The jobs of an experiment: every recipe over every base with every seed, each in its folder."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmf_cmsbert.config import overrides
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.experiments.engines import on_node
from mmf_cmsbert.records import record
from mmf_cmsbert.registration import register

# Words of mmf_run that an experiment sets itself -> what to type instead.
_RESERVED = {
    "config": "name the recipe instead",
    "training.seed": "type --seeds NUMBER",
    "env.save_dir": "type --output FOLDER",
    "run_type": "the experiment sets it",
    "env.overwrite": "type --overwrite",
    "checkpoint.resume": "interrupted runs are resumed automatically",
}


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        recipe: the recipe's name.
        base: the name of the base; empty for the recipe's own includes.
        seed: ``training.seed``.
        folder: ``env.save_dir``.
        words: the arguments of ``mmf_run``.
        config: the complete configuration that results from these words.
    """

    recipe: str
    base: str
    seed: int
    folder: Path
    words: tuple[str, ...] = field(repr=False, compare=False)
    config: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        return " ".join(filter(None, (self.recipe, self.base, f"seed {self.seed}")))

    @property
    def replicate(self) -> tuple[str, int]:
        """Base and seed: runs of two recipes with the same replicate are compared as a pair."""
        return self.base, self.seed

    @property
    def split(self) -> str:
        """The split with the compared scores: ``test``, or ``validation`` if test is not scored."""
        return "test" if "inference" in self.config["run_type"] else "validation"

    @property
    def log(self) -> Path:
        """The file with the run's output."""
        return self.folder / "output.log"

    @property
    def entry(self) -> str:
        return on_node.RUN

    @property
    def weight(self) -> int:
        return 1

    def recorded_error(self) -> str | None:
        """Return the error in the record of a failed run."""
        found = record.find(self.folder)
        return found["error"] if found and found["status"] == "failed" else None

    def missing(self) -> str | None:
        """Return a message unless the run has finished."""
        found = record.find(self.folder)
        if found is None or found["status"] != "finished":
            return f"ended without a finished {record.NAME}"
        return None

    def result(self) -> str:
        """Describe the best validation score of the finished run."""
        found = record.read(self.folder)
        if found["best"] is None:
            return "no validation gave a number"
        best, name = found["best"], found["criterion"]["name"]
        return f"best validation {name} {best['value']:.4f} at update {best['update']}"

    def reasons_to_repeat(self) -> list[str]:
        """List the reasons to repeat an earlier run in this folder; empty if it can be used."""
        found = record.find(self.folder)
        if found is None or found["status"] != "finished":
            return ["it has not been finished"]
        if not found["test"] and self.split == "test":
            return ["it was not scored on test"]
        return record.differences(found, self.config)

    def can_resume(self) -> bool:
        """Return whether the folder holds an interrupted run of this job that can be resumed."""
        found = record.find(self.folder)
        saved = (self.folder / "current.ckpt").is_file()
        if found is None or found["status"] == "finished" or not saved:
            return False
        return not record.differences(found, self.config)


def plan(
    files: Sequence[Path],
    bases: Sequence[Path],
    seeds: Sequence[int],
    options: Sequence[str],
    output: Path,
    resolve: Callable[[Sequence[str]], Mapping[str, Any]],
    run_type: str = "train_val_inference",
) -> list[Job]:
    """Plan the jobs, seed by seed, so that finished ones can be compared early.

    Args:
        files: recipes.
        bases: recipes that replace the recipes' includes; if empty, these are kept.
        seeds: values of ``training.seed``.
        options: ``KEY=VALUE`` words for all jobs.
        output: the folder of the experiment.
        resolve: returns the complete configuration for words of ``mmf_run``.
        run_type: ``run_type`` of all jobs.

    Raises:
        ConfigError: a recipe or an option is invalid, or two recipes have the same name.
    """
    check_options(options)
    for paths in (files, bases):
        _check_names(paths)
    jobs = []
    for seed in seeds:
        for base in bases or (None,):
            for file in files:
                name, over = recipe.name_of(file), recipe.name_of(base) if base else ""
                config = file
                if base:
                    target = output / "recipes" / over / f"{name}.yaml"
                    config = recipe.over(file, base, target)
                folder = output / "runs" / name / over / f"seed_{seed}"
                words = (
                    f"config={config.resolve()}",
                    *options,
                    f"run_type={run_type}",
                    f"training.seed={seed}",
                    f"env.save_dir={folder.resolve()}",
                )
                jobs.append(Job(name, over, seed, folder, words, resolve(words)))
    return jobs


def resolve(words: Sequence[str]) -> dict[str, Any]:
    """Return the complete configuration for words of ``mmf_run``, with the checks of ``mmf_run``.

    Raises:
        ConfigError: the words are invalid.
    """
    from mmf_cmsbert.config.completion import complete

    register()
    with warnings.catch_warnings():
        # MMF repeats this warning for the run.
        warnings.filterwarnings("ignore", message="Device specified is 'cuda'")
        return complete(overrides.parse(words)).resolved()


def check_options(options: Sequence[str]) -> None:
    """Refuse keys that an experiment sets itself, with a ConfigError."""
    for key in overrides.parse(options):
        if key in _RESERVED:
            raise ConfigError(f"{key} cannot be set here: {_RESERVED[key]}")


def _check_names(files: Sequence[Path]) -> None:
    names: dict[str, Path] = {}
    for file in files:
        other = names.setdefault(recipe.name_of(file), file)
        if other is not file:
            raise ConfigError(f"{other} and {file} have the same name; rename one, or remove one")
