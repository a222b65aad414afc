"""Choose rate and length of each recipe on validation, with an equal number of runs for all.

    GRID="python projects/cmsbert/claims/grid.py"
    $GRID write save/grid/recipes --rate 5e-5 --rate 1e-4 --updates 108
    cmsbert ablate save/grid/recipes/*.yaml --base BASE --validation --seeds 1 --output save/grid
    $GRID choose save/grid save/chosen
    cmsbert ablate save/chosen/*.yaml --base BASE --seeds 5 --output save/table

`write` writes a recipe for each of `--recipe`, `--rate` and `--updates`. `choose` reads their runs,
prints the validation scores, and writes for each recipe the one with the best mean over seeds.
Test scores play no part: with `--validation` there are none.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.experiments import recipe as recipes
from mmf_cmsbert.files import replace_text
from mmf_cmsbert.records import record

RECIPES = ("cms_clr", "text_only", "mag", "cms")


@dataclass(frozen=True)
class Setting:
    """A recipe with a rate and a length.

    Attributes:
        recipe: its name in `projects/cmsbert/ablations`.
        rate: the learning rate, as typed.
        updates: the length of the run.
    """

    recipe: str
    rate: str
    updates: int

    @property
    def name(self) -> str:
        """The name of its file, and of the folder of its runs."""
        return f"{self.recipe}_{self.rate}_{self.updates}"

    @classmethod
    def named(cls, name: str) -> "Setting":
        """Return the setting of a name."""
        recipe, rate, updates = name.rsplit("_", 2)
        return cls(recipe, rate, int(updates))

    def content(self) -> dict[str, Any]:
        """Return the recipe's own content with rate and length."""
        content: dict[str, Any] = read_yaml(recipes.find(self.recipe))
        content["includes"] = ["../mosi.yaml"]
        optimizer = content.setdefault("optimizer", {})
        optimizer["params"] = {**optimizer.get("params", {}), "lr": float(self.rate)}
        content["training"] = {**content.get("training", {}), "max_updates": self.updates}
        return content

    def write(self, file: Path) -> None:
        """Write it as a recipe for `cmsbert ablate`, whose `--base` replaces the includes."""
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, f"# {self.name}\n{yaml.safe_dump(self.content(), sort_keys=False)}")


def scores(folder: Path) -> dict[Setting, float]:
    """Return the best validation score of every setting, the mean over its runs.

    Args:
        folder: `--output` of `cmsbert ablate`.

    Raises:
        SystemExit: it has no finished run, or a run that is not finished.
    """
    found: dict[Setting, list[float]] = {}
    for file in sorted((folder / "runs").rglob(record.NAME)):
        each: Mapping[str, Any] = record.read(file)
        if each["status"] != "finished":
            sys.exit(f"{file.parent}: this run is not finished; repeat cmsbert ablate first")
        name = file.relative_to(folder / "runs").parts[0]
        found.setdefault(Setting.named(name), []).append(each["best"]["value"])
    if not found:
        sys.exit(f"{folder}: no finished run is in it")
    return {setting: sum(values) / len(values) for setting, values in found.items()}


def chosen(values: Mapping[Setting, float]) -> list[Setting]:
    """Return the setting with the lowest score of each recipe.

    Raises:
        SystemExit: the recipes do not have the same settings.
    """
    grids: dict[str, dict[Setting, float]] = {}
    for setting, value in values.items():
        grids.setdefault(setting.recipe, {})[setting] = value
    budgets = {name: {(s.rate, s.updates) for s in grid} for name, grid in grids.items()}
    first, budget = next(iter(budgets.items()))
    for name, other in budgets.items():
        if other != budget:
            sys.exit(f"{name} and {first} have runs of different rates or lengths; expected equal")
    return [min(grid, key=grid.__getitem__) for grid in grids.values()]


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True)
    write = actions.add_parser("write", help="write the recipes of a grid")
    write.add_argument("recipes", type=Path, help="folder for the recipes")
    write.add_argument("--recipe", action="append", help=f"default: {' '.join(RECIPES)}")
    write.add_argument("--rate", action="append", required=True)
    write.add_argument("--updates", action="append", type=int, required=True)
    choose = actions.add_parser("choose", help="write each recipe's best setting")
    choose.add_argument("grid", type=Path, help="--output of cmsbert ablate")
    choose.add_argument("recipes", type=Path, help="folder for the recipes")
    choose.add_argument(
        "--updates", type=int, help="of the chosen recipes; default: as in the grid"
    )
    given = parser.parse_args(words)
    if given.action == "write":
        for name in given.recipe or RECIPES:
            for rate in given.rate:
                for updates in given.updates:
                    setting = Setting(name, rate, updates)
                    setting.write(given.recipes / f"{setting.name}.yaml")
        return
    values = scores(given.grid)
    best = chosen(values)
    for setting, value in sorted(values.items(), key=lambda each: each[1]):
        mark = "  <- chosen" if setting in best else ""
        print(f"{value:.4f}  {setting.name}{mark}")
    for setting in best:
        kept = Setting(setting.recipe, setting.rate, given.updates or setting.updates)
        kept.write(given.recipes / f"{setting.recipe}.yaml")


if __name__ == "__main__":
    main()
