import json
from dataclasses import replace

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.sharding.plan import FOLDER, NAME, Plan, Shard, continued, divided, read_plan


def plan_of(folder, sizes, jobs, **more):
    folder.mkdir(exist_ok=True)
    shards = []
    for number, size in enumerate(sizes):
        file = folder / f"{number:02}.jsonl"
        with open(file, "wb") as written:
            written.truncate(size)
        shards.append(Shard(str(file), f"{number:02}.csv"))
    return Plan(folder, "predictions", {}, {}, tuple(shards), jobs, **more)


def jobs_of(plan):
    return [each.job for each in plan.shards]


def test_jobs_have_consecutive_shards_of_about_equal_size(tmp_path):
    large = 1 << 27
    few = divided(plan_of(tmp_path / "few", [100] * 6, 2), None)
    assert jobs_of(few) == [1, 1, 1, 2, 2, 2], "small shards: a job for each that runs at once"
    many = jobs_of(divided(plan_of(tmp_path / "many", [large] * 16, 2), None))
    assert many == sorted(many) and [many.count(job) for job in set(many)] == [2] * 8
    uneven = jobs_of(divided(plan_of(tmp_path / "uneven", [100, 100, 100, 300], 2), None))
    assert uneven == [1, 1, 1, 2]
    assert jobs_of(divided(plan_of(tmp_path / "empty", [0, 0], 2), None)) == [1, 2]


def test_the_same_command_keeps_jobs_which_may_still_be_queued(tmp_path):
    earlier = divided(plan_of(tmp_path, [100] * 4, 2), None)
    again = divided(continued(earlier, plan_of(tmp_path, [100] * 4, 2), {}), earlier)
    assert again.shards == earlier.shards
    more = divided(continued(earlier, plan_of(tmp_path, [100] * 6, 2), {}), earlier)
    assert jobs_of(more) == [1, 1, 2, 2, 3, 4]
    others = divided(continued(earlier, plan_of(tmp_path, [100] * 4, 4), {}), earlier)
    assert jobs_of(others) == [3, 4, 5, 6], "numbers are not used again"


def test_results_of_jobs_are_found_and_moved_into_the_manifest(tmp_path):
    plan = divided(plan_of(tmp_path, [1, 1], 1), None)
    plan.record(plan.shards[0], {"rows": 3})
    plan.record(plan.shards[1], {"error": "damaged"})
    found, errors = plan.with_results()
    assert found.shards[0].result == {"rows": 3} and errors == {"01.csv": "damaged"}
    found.forget_results()
    assert plan.with_results() == (plan, {})


def test_a_manifest_of_an_earlier_version_was_made_with_what_it_does_not_name(tmp_path):
    options = {"model": "abc", "batch_size": 32}
    plan_of(tmp_path, [], 1).write()
    file = tmp_path / FOLDER / NAME
    file.write_text(json.dumps(json.loads(file.read_text()) | {"made_with": options}))
    found = read_plan(tmp_path)
    assert found.made_with == {"precision": "fp32", "columns": {}, **options}
    wanted = plan_of(tmp_path, [], 1)
    same = {**options, "precision": "fp32", "columns": {}}
    assert continued(found, replace(wanted, made_with=same), {}).shards == ()
    with pytest.raises(ConfigError, match='precision was "fp32" and is "bf16"'):
        continued(found, replace(wanted, made_with={**same, "precision": "bf16"}), {})
    replace(found, kind="stores", made_with=options).write()
    assert read_plan(tmp_path).made_with == options
