import errno
import io
import shlex

import pytest
import yaml
from made_up_runs import CONFIG, FakeEngine, FakeRun
from rich.console import Console

from mmf_cmsbert.config import overrides
from mmf_cmsbert.errors import ConfigError, UserError
from mmf_cmsbert.experiments.space import Dimension
from mmf_cmsbert.experiments.tuning import Tuning, part_of
from mmf_cmsbert.files import WriteError

pytest.importorskip("optuna", reason="a search needs Optuna, which is optional")

WEIGHT = "model_config.cmsbert.losses[1].params.weight"
LR = "optimizer.params.lr"


def resolve(words):
    """Return a configuration of two losses and a learning rate with MMF's overrides."""
    options = overrides.parse(words)
    params = {"weight": 0.1, "label_smoothing": 0.2}
    if WEIGHT in options:
        params["weight"] = float(options[WEIGHT])
    losses = [{"type": "l1"}, {"type": "clr", "params": params}]
    training = CONFIG["training"] | {"seed": int(options.get("training.seed", 1))}
    return CONFIG | {
        "training": training | {"max_updates": int(options.get("training.max_updates", 5))},
        "model_config": {"cmsbert": {"losses": losses, "x": 1}},
        "optimizer": {"params": {"lr": float(options.get(LR, 1e-3)), "eps": 1}},
        "run_type": options.get("run_type", "train_inference"),
    }


def score(job):
    """Validation is best at weight 0.5 and a high learning rate; seeds differ by a constant."""
    losses = job.config["model_config"]["cmsbert"]["losses"]
    return (
        abs(losses[1]["params"]["weight"] - 0.5)
        + job.seed
        - job.config["optimizer"]["params"]["lr"]
    )


@pytest.fixture
def tuning(tmp_path):
    (tmp_path / "mine.yaml").write_text("model: cmsbert\n")
    begun = []

    def start(job, slot):
        begun.append(job)
        return FakeRun(job, best={"update": 1, "value": score(job)}, test=None)

    def make(**changed):
        given = {
            "recipe": tmp_path / "mine.yaml",
            "space": [Dimension(WEIGHT, 0.0, 1.0), Dimension(LR, 1e-5, 1e-3, True)],
            "options": ["training.max_updates=7"],
            "seeds": range(1, 3),
            "output": tmp_path / "output",
            "engine": FakeEngine(start, 2),
            "resolve": resolve,
            "console": Console(record=True, file=io.StringIO(), width=200),
        }
        (tmp_path / "output").mkdir(exist_ok=True)
        return Tuning(**given | changed)

    make.begun = begun
    return make


def test_the_best_on_validation_is_written_as_a_recipe_with_all_that_it_takes(tuning, tmp_path):
    search = tuning()
    file = search.run(trials=6, seed=1)
    best = yaml.safe_load(file.read_text())
    means = {}
    for job in tuning.begun:
        losses = job.config["model_config"]["cmsbert"]["losses"]
        means.setdefault(losses[1]["params"]["weight"], []).append(score(job))
    assert all(len(scores) == 2 for scores in means.values()) and len(means) == 6
    weight = min(means, key=lambda w: sum(means[w]))
    assert best["includes"] == [str(tmp_path / "mine.yaml")]
    assert best["training"] == {"max_updates": 7}
    assert list(best["optimizer"]["params"]) == ["lr"]
    assert best["model_config"] == {
        "cmsbert": {
            "losses": [
                {"type": "l1"},
                {"type": "clr", "params": {"weight": weight, "label_smoothing": 0.2}},
            ]
        }
    }
    assert f"{sum(means[weight]) / 2:.6f}" in file.read_text().splitlines()[0]
    assert len((tmp_path / "output" / "trials.csv").read_text().splitlines()) == 7


def test_it_ends_with_the_best_setting_as_a_command_for_a_shell(tuning, tmp_path):
    search = tuning()
    best = yaml.safe_load(search.run(trials=4, seed=1).read_text())
    last = search.console.export_text().splitlines()[-1]
    command, *words = shlex.split(last)
    assert command == "mmf_run"
    options = overrides.parse(words)
    assert options["config"] == str(tmp_path / "mine.yaml")
    assert float(options[LR]) == best["optimizer"]["params"]["lr"]
    weight = best["model_config"]["cmsbert"]["losses"][1]["params"]["weight"]
    assert float(options[WEIGHT]) == weight and options["training.max_updates"] == "7"
    assert options["training.seed"] == "1"
    assert options["env.save_dir"] == str(tmp_path / "output" / "best")


def test_test_is_not_looked_at(tuning):
    tuning().run(trials=2, seed=1)
    assert {job.config["run_type"] for job in tuning.begun} == {"train_val"}


def test_a_second_call_goes_on(tuning):
    tuning().run(trials=2, seed=1)
    assert len(tuning.begun) == 4
    tuning().run(trials=3, seed=1)
    assert len(tuning.begun) == 6


@pytest.mark.parametrize(
    "changed",
    [
        {"seeds": range(1, 2)},
        {"options": ["training.max_updates=8"]},
        {"space": [Dimension(WEIGHT, 0.0, 2.0), Dimension(LR, 1e-5, 1e-3, True)]},
    ],
)
def test_another_search_wants_another_folder(tuning, changed):
    tuning().run(trials=1, seed=1)
    with pytest.raises(ConfigError, match="type --output"):
        tuning(**changed).run(trials=2, seed=1)


def test_failed_trials_are_kept_with_their_reason(tuning, tmp_path):
    good = tuning()

    def start(job, slot):
        if "/trials/2/" in str(job.folder):
            return FakeRun(job, status=1, says="UserError: nan\n")
        return good.engine.start(job, slot)

    assert tuning(engine=FakeEngine(start, 2)).run(trials=3, seed=1)
    rows = (tmp_path / "output" / "trials.csv").read_text().splitlines()
    assert ["nan" in row for row in rows[1:]] == [False, True, False]


def test_a_full_disk_says_nothing_about_a_setting(tuning, tmp_path):
    """It ends the search, and the same setting is tried again later."""
    good, full = tuning(), [True]
    whole = tuning(output=tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    whole.run(trials=2, seed=1)

    def start(job, slot):
        if "/trials/2/" in str(job.folder) and full:
            message = WriteError("current.ckpt", OSError(errno.ENOSPC, ""))
            return FakeRun(job, status=2, says=f"mmf_run: error: {message}\n")
        return good.engine.start(job, slot)

    with pytest.raises(UserError, match="current.ckpt cannot be written: no space .* continues"):
        tuning(engine=FakeEngine(start, 2)).run(trials=2, seed=1)
    full.clear()
    tuning(engine=FakeEngine(start, 2)).run(trials=2, seed=1)
    tables = [tmp_path / name / "trials.csv" for name in ("whole", "output")]
    assert tables[0].read_text() == tables[1].read_text()


def test_a_key_cannot_be_both_varied_and_set(tuning):
    with pytest.raises(ConfigError, match="lr is both in the space and typed"):
        tuning(options=["optimizer.params.lr=1"]).run(trials=1, seed=1)


def test_part_of_a_configuration_is_its_sections_down_to_the_keys():
    config = {"a": {"b": 1, "c": [{"d": 2}, {"d": 3}]}, "e": 4}
    assert part_of(config, ["a.c[1].d", "e"]) == {"a": {"c": [{"d": 2}, {"d": 3}]}, "e": 4}
