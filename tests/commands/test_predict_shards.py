"""``cmsbert predict`` with many files: whole, in order, and only what is not done yet."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from small_predictor import made

from mmf_cmsbert.experiments.engines import local
from mmf_cmsbert.experiments.process import error_of
from mmf_cmsbert.files import sha256_of
from mmf_cmsbert.predictor import prediction_file
from mmf_cmsbert.sharding import plan as plans
from mmf_cmsbert.sharding import prediction, work
from mmf_cmsbert.utils import torch_threads


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    made().save_pretrained(folder)
    return folder


def write_list(file, first, count, bad=()):
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"s{i}", "text": "good " * (1 + i % 9)} for i in range(first, first + count)]
    lines = ["{broken" if n in bad else json.dumps(row) for n, row in enumerate(rows)]
    file.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def parts():
    """Write three shards of 40 rows, in the working folder."""
    for number in range(3):
        write_list(Path(f"parts/part-{number}.jsonl"), 40 * number, 40)
    return "parts"


@pytest.fixture
def typed(cmsbert, model):
    def predict(*words):
        return cmsbert("predict", model, *words, "--output", "out")

    return predict


def rows_in(folder="out"):
    """The rows of all outputs, in the order of the manifest."""
    return [
        row for each in manifest(folder)["shards"]
        for row in parquet.read_table(Path(folder) / each["output"]).to_pylist()
    ]  # fmt: skip


def manifest(folder="out"):
    return json.loads((Path(folder) / plans.FOLDER / plans.NAME).read_text())


def as_earlier(folder="out"):
    """Write the manifest as versions did that knew neither precision nor columns."""
    found = manifest(folder)
    del found["made_with"]["precision"], found["made_with"]["columns"]
    Path(folder, plans.FOLDER, plans.NAME).write_text(json.dumps(found))


def times(folder="out"):
    return {f.name: f.stat().st_mtime_ns for f in Path(folder).glob("*.parquet")}


def test_shards_have_the_rows_of_one_file_in_its_order(typed, parts, cmsbert, model):
    done = typed(parts)
    assert done.exit_code == 0, done.output
    Path("one.jsonl").write_text("".join(f.read_text() for f in sorted(Path(parts).iterdir())))
    cmsbert("predict", model, "--input", "one.jsonl", "--output", "one.parquet")
    one = parquet.read_table("one.parquet").to_pylist()
    found = rows_in()
    assert [row["id"] for row in found] == [f"s{i}" for i in range(120)]
    assert [row["prediction"] for row in found] == pytest.approx(
        [row["prediction"] for row in one], abs=1e-5
    )
    assert "3 shards, 120 rows in, 120 predictions out in the same order" in done.stdout
    # The folder is a dataset as it is.
    assert parquet.read_table("out").num_rows == 120


def test_the_manifest_states_what_each_shard_was_made_of(typed, parts, model):
    typed(parts)
    found = manifest()
    assert found["format"] == 1 and found["counts"] == {"shards": 3, "rows": 120, "bad_rows": 0}
    assert found["made_with"]["model"] == prediction.model_hash(model)
    for number, shard in enumerate(found["shards"]):
        source, result = Path(parts, f"part-{number}.jsonl"), shard["result"]
        assert shard["input"] == str(source.absolute()) and result["rows"] == 40
        assert result["input"]["content"] == sha256_of(source)
        assert result["sha256"] == sha256_of(Path("out", shard["output"]))


def test_a_finished_folder_is_not_made_again_and_a_touched_input_neither(typed, parts):
    typed(parts)
    before = times()
    Path(parts, "part-1.jsonl").touch()
    done = typed(parts)
    assert done.exit_code == 0 and "3 of 3 shards are already done" in done.stdout
    assert times() == before


def test_what_has_changed_is_made_again_and_what_is_new_is_added(typed, parts):
    typed(parts)
    before = times()
    write_list(Path(parts, "part-1.jsonl"), 500, 7)
    write_list(Path(parts, "part-0b.jsonl"), 900, 3)
    with open("out/part-2.parquet", "r+b") as file:  # a damaged output
        file.truncate(50)
    done = typed(parts)
    assert "1 of 4 shards are already done" in done.stdout
    assert "2 shards are made again: the input or the output has changed" in done.stdout
    assert times()["part-0.parquet"] == before["part-0.parquet"]
    expected = [*range(40), *range(900, 903), *range(500, 507), *range(80, 120)]
    assert [row["id"] for row in rows_in()] == [f"s{i}" for i in expected]


def test_interrupted_between_and_within_shards_it_continues(typed, parts, monkeypatch):
    predicted = []

    def stopped(output, rows, *rest):
        predicted.append(output.name)
        if len(predicted) == 2:
            next(iter(rows))  # in the middle of the second shard
            raise KeyboardInterrupt
        return write_rows(output, rows, *rest)

    write_rows = prediction_file.write_rows
    with monkeypatch.context() as patch:
        patch.setattr(prediction_file, "write_rows", stopped)
        done = typed(parts)
    assert done.exit_code == 130
    assert "Stopped; 1 of 3 shards are done. The same command continues." in done.stdout
    assert [f.name for f in Path("out").glob("[!_.]*")] == ["part-0.parquet"]
    before = times()
    done = typed(parts)
    assert done.exit_code == 0 and "1 of 3 shards are already done" in done.stdout
    assert times()["part-0.parquet"] == before["part-0.parquet"]
    assert [row["id"] for row in rows_in()] == [f"s{i}" for i in range(120)]


def test_a_killed_job_leaves_no_half_shard_and_its_results_are_found(typed, parts, monkeypatch):
    """A killed process writes no more: neither the rest of a file nor the manifest."""
    record = plans.Plan.record

    def killed(self, shard, result):
        if shard.output != "part-0.parquet":
            raise SystemExit(9)
        record(self, shard, result)

    with monkeypatch.context() as patch:
        patch.setattr(plans.Plan, "record", killed)
        assert typed(parts).exit_code == 9
    assert all(each["result"] is None for each in manifest()["shards"])
    done = typed(parts)
    assert done.exit_code == 0 and "1 of 3 shards are already done" in done.stdout


def test_bad_rows_are_counted_named_and_end_with_status_2(typed, parts):
    write_list(Path(parts, "part-1.jsonl"), 40, 40, bad=(3, 17))
    done = typed(parts)
    assert done.exit_code == 2
    assert "118 predictions out in the same order, 2 unusable rows" in done.stdout
    assert "2 segments could not be used" in done.stderr and "part-1.parquet.txt" in done.stderr
    errors = Path("out/_shards/errors/part-1.parquet.txt").read_text().splitlines()
    assert len(errors) == 2 and "line 4 is not JSON" in errors[0]
    again = typed(parts)
    assert again.exit_code == 2 and "3 of 3 shards are already done" in again.stdout


def test_a_shard_that_cannot_be_read_does_not_stop_the_others(typed, parts):
    Path(parts, "part-1.parquet").write_bytes(b"PAR1 damaged")
    done = typed(parts)
    assert done.exit_code == 1 and "1 of 4 shards failed" in done.stdout
    assert "part-1.parquet: cannot be read" in done.stdout
    assert "The same command makes only these" in done.stdout
    assert manifest()["counts"] is None
    parquet.write_table(pa.table({"id": ["a"], "text": ["good"]}), Path(parts, "part-1.parquet"))
    done = typed(parts)
    assert done.exit_code == 0 and "3 of 4 shards are already done" in done.stdout


def test_an_empty_shard_is_an_empty_file(typed, parts):
    Path(parts, "part-1.jsonl").write_text("")
    done = typed(parts)
    assert done.exit_code == 0 and "80 rows in, 80 predictions" in done.stdout
    assert parquet.read_table("out/part-1.parquet").num_rows == 0


def test_files_of_one_name_in_different_folders_have_outputs_of_their_own(typed):
    for number in range(2):
        write_list(Path(f"{number}/x.jsonl"), 10 * number, 10)
    assert typed("0", "1").exit_code == 0
    assert sorted(times()) == ["x-2.parquet", "x.parquet"]
    assert [row["id"] for row in rows_in()] == [f"s{i}" for i in range(20)]
    # In another order the outputs keep their names.
    assert "2 of 2 shards are already done" in typed("1", "0").stdout
    assert [row["id"] for row in rows_in()] == [f"s{i}" for i in (*range(10, 20), *range(10))]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["parts", "parts/part-1.jsonl"], "part-1.jsonl is named twice"),
        (["nothing"], "nothing: there is no such file or folder"),
        (["*.jsonl"], "*.jsonl: no file has such a name"),
        (["parts", "--input", "parts/part-1.jsonl"], "one of them"),
        (["parts", "--engine", "slurm", "--slurm", "account"], "expected NAME=VALUE"),
    ],
)
def test_what_is_wrong_is_one_message(typed, parts, words, message):
    done = typed(*words)
    assert done.exit_code == 2 and message in done.stderr and done.stderr.count("\n") == 1


def test_a_folder_of_another_model_or_with_other_options_is_refused(typed, parts, cmsbert, model):
    typed(parts)
    before = times()
    done = typed(parts, "--batch-size", 4, "--format", "csv")
    assert done.exit_code == 2
    assert '--batch-size was 32 and is 4; --format was "parquet" and is "csv"' in done.stderr
    other = Path("other")
    made(context="word").save_pretrained(other)
    done = cmsbert("predict", other, parts, "--output", "out")
    assert done.exit_code == 2 and "made in another way: the model was" in done.stderr
    assert times() == before


def test_predictions_are_made_in_the_precision_that_is_typed(typed, parts, cmsbert, model):
    assert typed(parts, "--precision", "bf16").exit_code == 0
    assert manifest()["made_with"]["precision"] == "bf16"
    done = typed(parts)
    assert done.exit_code == 2 and '--precision was "bf16" and is "fp32"' in done.stderr
    cmsbert("predict", model, parts, "--output", "exact")
    scores = [[row["prediction"] for row in rows_in(each)] for each in ("out", "exact")]
    assert scores[0] != scores[1] and scores[0] == pytest.approx(scores[1], abs=0.05)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--precision", "fp16", "--device", "cpu"), "--precision is fp16, which needs a GPU"),
        (("--device", "tpu9"), "--device is tpu9"),
    ],
)
def test_what_this_machine_cannot_compute_is_refused_at_once(typed, parts, words, message):
    done = typed(parts, *words)
    assert done.exit_code == 2 and message in done.stderr and done.stderr.count("\n") == 1
    assert not Path("out").exists()


def test_a_folder_of_an_earlier_version_was_made_in_float32(typed, parts):
    typed(parts)
    before = times()
    as_earlier()
    done = typed(parts, "--precision", "bf16")
    assert done.exit_code == 2 and '--precision was "fp32" and is "bf16"' in done.stderr
    job = work.work_of(plans.read_plan(Path("out").absolute()))
    shard = job._plan.shards[0]
    assert job.make(shard)["sha256"] == shard.result["sha256"], "a job reads such a manifest"
    before |= {"part-0.parquet": times()["part-0.parquet"]}
    done = typed(parts)
    assert done.exit_code == 0 and "3 of 3 shards are already done" in done.stdout
    assert times() == before and manifest()["made_with"]["precision"] == "fp32"


def test_shards_of_this_process_are_computed_on_the_free_cores(typed, parts, monkeypatch):
    asked = []
    monkeypatch.setattr(torch_threads, "set_threads", asked.append)
    assert typed(parts, "--device", "cpu").exit_code == 0
    assert [each.type for each in asked] == ["cpu"]


def test_columns_of_other_names_belong_to_what_shards_are_made_with(typed, parts):
    typed(parts)
    expected = [(row["id"], row["prediction"]) for row in rows_in()]
    for file in Path(parts).iterdir():
        file.write_text(file.read_text().replace('"text"', '"said"').replace('"id"', '"key"'))
    named = ("--column", "text=said", "--column", "id=key")
    done = typed(parts, *named)
    assert done.exit_code == 2
    assert '--column was {} and is {"text": "said", "id": "key"}' in done.stderr
    shutil.rmtree("out")
    done = typed(parts, *named)
    assert done.exit_code == 0, done.output
    assert [(row["id"], row["prediction"]) for row in rows_in()] == expected
    again = typed(parts, *named[2:], *named[:2])
    assert again.exit_code == 0 and "3 of 3 shards are already done" in again.stdout


def test_a_column_that_a_shard_lacks_fails_that_shard(typed, parts):
    rows = {"key": ["a"], "text": ["good"]}
    parquet.write_table(pa.table(rows), Path(parts, "part-3.parquet"))
    done = typed(parts, "--column", "id=key")
    assert done.exit_code == 1 and "3 of 4 shards failed" in done.stdout
    assert "part-0.jsonl: no column 'key', which --column names as that of id" in done.stdout


def test_a_folder_with_other_files_is_refused(typed, parts):
    Path("out").mkdir()
    Path("out/thesis.tex").write_text("")
    done = typed(parts)
    assert done.exit_code == 2 and "out is not empty (thesis.tex)" in done.stderr


def test_predictions_of_a_shard_that_is_not_named_any_more_are_not_left_unnoticed(typed, parts):
    typed(parts)
    Path(parts, "part-1.jsonl").unlink()
    done = typed(parts)
    assert done.exit_code == 2
    assert "predictions of 1 shards that are not named now, such as" in done.stderr
    Path("out/part-1.parquet").unlink()
    done = typed(parts)
    assert done.exit_code == 0 and "2 of 2 shards are already done" in done.stdout
    assert parquet.read_table("out").num_rows == 80


def test_a_damaged_manifest_is_refused(typed, parts):
    typed(parts)
    Path("out/_shards/shards.json").write_text('{"format": 7}')
    done = typed(parts)
    assert done.exit_code == 2 and "format 7, expected 1" in done.stderr


def test_rows_that_are_lost_or_in_another_order_fail_the_shard(typed, parts, monkeypatch):
    def swapped(output, rows, columns, errors):
        rows = list(rows)
        return write_rows(output, [rows[1], rows[0], *rows[2:]], columns, errors)

    def shortened(output, rows, columns, errors):
        return write_rows(output, list(rows)[:-1], columns, errors)

    write_rows = prediction_file.write_rows
    for fault in (swapped, shortened):
        monkeypatch.setattr(prediction_file, "write_rows", fault)
        done = typed(parts)
        assert done.exit_code == 1 and "3 of 3 shards failed" in done.stdout
        assert "40 rows were read" in done.stdout and not times()


class Lost:
    """A job whose first process is lost after one shard."""

    lost: set[str] = set()

    def __init__(self, words, log, threads, gpu=None, entry=None):
        assert entry == work.ENTRY
        folder, job = Path(words[0]), int(words[1])
        plan, _ = plans.read_plan(folder).with_results()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("Killed\n")
        self.log, self.status = log, 0
        shards = plan.of_job(job)
        if job == 1 and words[0] not in self.lost:
            self.lost.add(words[0])
            self.status = -9
            made = work.work_of(plan)
            plan.record(shards[0], made.make(shards[0]))
            return
        self.status = int(work.run_job(plan, job, work.work_of(plan), lambda made, of: None) > 0)

    def poll(self):
        return self.status

    def progress(self):
        return None

    def stop(self):
        pass

    def error(self, status, recorded):
        return error_of(self.log, status, recorded)


def test_a_lost_job_is_named_by_shard_and_the_others_are_made(typed, parts, monkeypatch):
    write_list(Path(parts, "part-3.jsonl"), 120, 40)
    monkeypatch.setattr(local, "JobProcess", Lost)
    done = typed(parts, "--jobs", 2)
    assert done.exit_code == 1 and "1 of 4 shards failed" in done.stdout
    assert "part-1.jsonl: killed by SIGKILL" in done.stdout
    assert "_shards/jobs/0001/output.log" in done.stdout
    done = typed(parts, "--jobs", 2)
    assert done.exit_code == 0 and "3 of 4 shards are already done" in done.stdout
    assert [row["id"] for row in rows_in()] == [f"s{i}" for i in range(160)]


def test_an_output_that_another_process_changes_meanwhile_is_noticed(typed, parts, monkeypatch):
    record = plans.Plan.record

    def meddled(self, shard, result):
        record(self, shard, result)
        Path("out/part-0.parquet").write_bytes(b"")

    with monkeypatch.context() as patch:
        patch.setattr(plans.Plan, "record", meddled)
        done = typed(parts)
    assert done.exit_code == 1 and "1 of 3 shards failed" in done.stdout
    assert "was changed by another process meanwhile" in done.stdout
    assert "2 of 3 shards are already done" in typed(parts).stdout


def test_options_of_shards_are_not_ignored_elsewhere(typed, parts):
    for option in (("--format", "csv"), ("--engine", "slurm")):
        done = typed("--input", "parts/part-0.jsonl", *option)
        assert done.exit_code == 2 and f"{' '.join(option)} is for shards" in done.stderr
