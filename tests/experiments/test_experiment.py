"""An experiment does not overwrite the tables of another."""

import json
from dataclasses import replace

import pytest
from made_up_runs import write_record

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.experiment import NAME, TABLES, begin

DEEP, BOMB = "[" * 100_000, f"[{'{},' * (20 << 18)}{{}}]"
COMMAND = "cmsbert ablate a b --seeds 2"


@pytest.fixture
def output(tmp_path):
    """The folder of the plans."""
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


@pytest.fixture(params=["this version", "a version without experiment.json"])
def earlier(request, planned, output):
    """A finished experiment."""
    jobs = planned(["a", "b"], seeds=2)
    begin(output, jobs, COMMAND, overwrite=False)
    for job in jobs:
        write_record(job.folder, job.config)
    for name in TABLES:
        (output / name).write_text("earlier")
    if request.param != "this version":
        (output / NAME).unlink()
    return request.param


def tables(folder):
    return [name for name in TABLES if (folder / name).exists()]


def test_the_same_command_continues(earlier, planned, output):
    for _ in range(2):
        begin(output, planned(["a", "b"], seeds=2), COMMAND, overwrite=False)
    assert tables(output) == list(TABLES)


@pytest.mark.parametrize(
    ("recipes", "options", "difference"),
    [
        (["a"], {"seeds": 2}, "without b/seed_1, b/seed_2"),
        (["a", "b", "c"], {"seeds": 2}, "with c/seed_1, c/seed_2"),
        (["a", "b"], {"seeds": 1}, "without a/seed_2, b/seed_2"),
        (["a", "b"], {"seeds": 4}, "with a/seed_3, b/seed_3, a/seed_4 and 1 more"),
        (["a", "b"], {"seeds": 2, "options": ["x=1"]}, "with another configuration of a/seed_1"),
        (["a", "b"], {"seeds": 2, "run_type": "train_val"}, "with another configuration of a/seed"),
    ],
)
def test_another_one_is_refused_with_what_differs(
    earlier, planned, output, recipes, options, difference
):
    with pytest.raises(ConfigError) as error:
        begin(output, planned(recipes, **options), "cmsbert ablate other", overwrite=False)
    message = str(error.value)
    assert difference in message and "4 of 4 runs finished" in message
    assert "--output FOLDER" in message and "--overwrite" in message
    assert (COMMAND in message) == (earlier == "this version")
    assert tables(output) == list(TABLES)
    begin(output, planned(recipes, **options), "cmsbert ablate other", overwrite=True)
    assert tables(output) == []
    assert json.loads((output / NAME).read_text())["command"] == "cmsbert ablate other"


def test_a_recipe_of_the_same_name_that_was_changed_is_another_one(earlier, planned, output):
    jobs = planned(["a", "b"], seeds=2)
    changed = [replace(job, config=job.config | {"text": "lr: 1"}) for job in jobs]
    with pytest.raises(ConfigError, match="another configuration of a/seed_1, b/seed_1"):
        begin(output, changed, COMMAND, overwrite=False)


def test_where_nothing_has_been_run_another_one_may_begin(planned, output):
    begin(output, planned(["a", "b"]), COMMAND, overwrite=False)
    begin(output, planned(["c"]), "cmsbert ablate c", overwrite=False)
    assert list(json.loads((output / NAME).read_text())["runs"]) == ["runs/c/seed_1"]


def test_an_interrupted_experiment_of_an_earlier_version_continues(planned, output):
    jobs = planned(["a", "b"], seeds=2)
    write_record(jobs[0].folder, jobs[0].config)
    begin(output, jobs, COMMAND, overwrite=False)
    assert len(json.loads((output / NAME).read_text())["runs"]) == 4


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"format": 1}', DEEP, BOMB])
def test_a_damaged_or_later_description_is_refused(planned, output, content):
    (job,) = planned(["a"])
    write_record(job.folder, job.config)
    (output / NAME).write_text(content)
    with pytest.raises(ConfigError, match=f"{NAME}: cannot be read"):
        begin(output, [job], COMMAND, overwrite=False)
    begin(output, [job], COMMAND, overwrite=True)
