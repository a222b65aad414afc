"""What is to be run: every recipe over every base with every seed, each in a folder of its own."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmf_cmsbert import overrides
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.records import record
from mmf_cmsbert.registration import register

# Words of mmf_run that an experiment sets itself -> what to type instead.
_RESERVED = {
    "config": "name the recipe instead",
    "training.seed": "type --seeds NUMBER",
    "env.save_dir": "type --output FOLDER",
    "run_type": "the experiment decides what is scored",
    "env.overwrite": "type --overwrite",
    "checkpoint.resume": "interrupted runs are resumed by themselves",
}


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        recipe: the recipe's name.
        base: the name of the base that it stands over; empty where it is the recipe's own.
        seed: ``training.seed``.
        folder: where it is saved.
        words: what ``mmf_run`` is given.
        config: the whole configuration that these words make.
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
        """What it shares with the runs of other recipes that it is compared with, pair by pair."""
        return self.base, self.seed

    @property
    def split(self) -> str:
        """What is compared: ``test``, or ``validation`` where test is left alone."""
        return "test" if "inference" in self.config["run_type"] else "validation"

    @property
    def log(self) -> Path:
        """What the run prints."""
        return self.folder / "output.log"

    def why_again(self) -> list[str]:
        """Why an earlier run in this folder does not stand for this job; nothing where it does."""
        found = record.find(self.folder)
        if found is None or found["status"] != "finished":
            return ["it has not been finished"]
        if not found["test"] and self.split == "test":
            return ["it was not scored on test"]
        return record.differences(found, self.config)

    def goes_on(self) -> bool:
        """Whether an interrupted run of just this job can be taken up where it was."""
        found = record.find(self.folder)
        begun = found is not None and found["status"] != "finished"
        saved = (self.folder / "current.ckpt").is_file()
        return begun and saved and not record.differences(found, self.config)


def plan(
    files: Sequence[Path],
    bases: Sequence[Path],
    seeds: Sequence[int],
    options: Sequence[str],
    output: Path,
    resolve: Callable[[Sequence[str]], Mapping[str, Any]],
    run_type: str = "train_val_inference",
) -> list[Job]:
    """Lay out the jobs, seed by seed, so that what is done after a while can be compared.

    Args:
        files: recipes.
        bases: what stands in for the files that the recipes include; none: what they include.
        seeds: of ``training.seed``.
        options: ``KEY=VALUE`` words for all of them.
        output: the folder of everything.
        resolve: the whole configuration that words for ``mmf_run`` make.
        run_type: ``run_type`` of all of them.

    Raises:
        ConfigError: a recipe or an option that cannot be followed, or two of one name.
    """
    check_options(options)
    for paths in (files, bases):
        _check_names(paths)
    jobs = []
    for seed in seeds:
        for base in bases or [None]:
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
    """The whole configuration that words for ``mmf_run`` make, checked as it checks them.

    Raises:
        ConfigError: they cannot be followed.
    """
    from mmf_cmsbert import cli

    register()
    with warnings.catch_warnings():
        # MMF says so again for the run itself.
        warnings.filterwarnings("ignore", message="Device specified is 'cuda'")
        return cli.resolved(cli.complete(overrides.parse(words)))


def check_options(options: Sequence[str]) -> None:
    """Raise a ConfigError for a key that an experiment sets itself."""
    for key in overrides.parse(options):
        if key in _RESERVED:
            raise ConfigError(f"{key} cannot be set here: {_RESERVED[key]}")


def _check_names(files: Sequence[Path]) -> None:
    names: dict[str, Path] = {}
    for file in files:
        other = names.setdefault(recipe.name_of(file), file)
        if other is not file:
            raise ConfigError(f"{other} and {file} have one name; rename one, or name it once")
