"""A run's folder: used by one command at a time, and earlier runs are only replaced on request."""

import json
import re

import pytest

from mmf_cmsbert.console.signals import is_first_process
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.records.earlier_run import find, opened

# As written by commit d0a8516, reduced to the entries that are read.
RECORD = {
    "format": 1,
    "status": "finished",
    "started": "2026-11-20T08:00:00+00:00",
    "ended": "2026-11-20T09:00:00+00:00",
    "updates": 600,
    "criterion": {"name": "mosi/sentiment_mae", "minimize": True},
    "test": {"mosi/sentiment_corr": 0.8, "mosi/sentiment_mae": 0.71234},
}
RUN = ("best.ckpt", "current.ckpt", "models/model_5.ckpt", "cmsbert_final.pth", "config.yaml")
RUN += (
    "train.log",
    "logs/train_1.log",
    "logs/tensorboard_1/events",
    "mosi_cmsbert_1/reports/a.csv",
    "history.jsonl",
    "report.html",
    "report/losses.png",
    "report/segments.json",
)


def write(folder, *names, record=None):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("earlier\n")
    if record is not None:
        (folder / "run.json").write_text(json.dumps(RECORD | record))


def open_(folder, trains=True, resume=False, overwrite=False):
    config = {"env": {"save_dir": str(folder), "overwrite": overwrite}}
    config["checkpoint"] = {"resume": resume}
    return opened(config, "mmf_run config=a.yaml", trains)


@pytest.mark.parametrize(
    ("record", "files", "what"),
    [
        ({}, RUN, "a finished run (600 updates, test mosi/sentiment_mae 0.7123, ended 2026-11-20T"),
        ({}, (), "a finished run (600 updates, test mosi/sentiment_mae 0.7123, ended 2026-11-20T"),
        (
            {"status": "interrupted", "test": None, "updates": None},
            RUN,
            "an interrupted run (ended",
        ),
        (
            {"status": "running", "ended": None, "test": None},
            RUN,
            "a killed run (600 updates, start",
        ),
        ({"status": "running", "ended": None, "test": None}, (), "no checkpoint)"),
        ({"status": "failed"}, ["current.ckpt"], "a failed run (600"),
        (None, ["best.ckpt"], "checkpoints without a run.json (best.ckpt; newest of 20"),
        (None, ["models/model_5.ckpt"], "checkpoints without a run.json (models/model_5.ckpt;"),
        (None, ["cmsbert_final.pth"], "checkpoints without a run.json (cmsbert_final.pth"),
        ({"format": 99}, [], "a run.json that cannot be read"),
    ],
)
def test_an_earlier_run_is_refused_with_what_it_is_and_three_ways_on(tmp_path, record, files, what):
    write(tmp_path, *files, record=record)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match=re.escape(what)) as error, open_(tmp_path):
        pass
    assert str(tmp_path) in str(error.value)
    for way in ("env.save_dir=FOLDER", "checkpoint.resume=true", "env.overwrite=true"):
        assert way in str(error.value)
    assert sorted(set(tmp_path.rglob("*")) - {tmp_path / ".lock"}) == before, "nothing is removed"


@pytest.mark.parametrize(
    ("record", "files"),
    [
        (None, ()),
        (None, ("notes.txt", "synthetic_demo/best.ckpt", "synthetic_demo/run.json")),
        ({"status": "failed"}, ("train.log",)),
        ({"status": "interrupted"}, ("train.log",)),
    ],
)
def test_a_folder_with_nothing_to_lose_is_used(tmp_path, record, files):
    write(tmp_path, *files, record=record)
    with open_(tmp_path) as earlier:
        assert earlier is None


@pytest.mark.parametrize("how", [{"resume": True}, {"resume": "True"}, {"trains": False}])
def test_resuming_and_predicting_replace_nothing(tmp_path, how):
    write(tmp_path, *RUN, record={})
    with open_(tmp_path, **how) as earlier:
        assert earlier is None
    assert (tmp_path / "best.ckpt").exists()


def test_resume_and_overwrite_contradict_each_other(tmp_path):
    with pytest.raises(ConfigError, match="type one of them"):
        open_(tmp_path, resume=True, overwrite=True).__enter__()


def test_overwritten_an_earlier_runs_files_do_not_mix_with_the_new_ones(tmp_path):
    others = ("notes.txt", "bert.pth", "synthetic_demo/best.ckpt", "my_data/reports.csv")
    write(tmp_path, *RUN, *others, record={})
    with open_(tmp_path, overwrite=True) as earlier:
        assert (tmp_path / "best.ckpt").exists(), "checks may still fail"
        # Files that MMF writes before training.
        (tmp_path / "config.yaml").write_text("new: 1\n")
        write(tmp_path, "logs/train_2.log")
        with open(tmp_path / "train.log", "a") as log:
            log.write("later\n")
            log.flush()
            earlier.remove()
            log.write("last\n")
    left = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()}
    assert left == {*others, ".lock", "config.yaml", "train.log", "logs/train_2.log"}
    assert (tmp_path / "train.log").read_text() == "later\nlast\n"
    assert (tmp_path / "config.yaml").read_text() == "new: 1\n"
    assert not (tmp_path / "mosi_cmsbert_1" / "reports").exists()


@pytest.mark.parametrize("library", ["mmf_cmsbert", "transformers"])
def test_of_a_folder_named_model_only_an_exported_one_is_replaced(tmp_path, library):
    write(tmp_path, *RUN, "model/model.safetensors", record={})
    (tmp_path / "model" / "config.json").write_text(json.dumps({"library_name": library}))
    with open_(tmp_path, overwrite=True) as earlier:
        earlier.remove()
    assert (tmp_path / "model").exists() == (library != "mmf_cmsbert")


def test_a_command_that_fails_its_checks_leaves_the_earlier_run(tmp_path):
    write(tmp_path, *RUN, record={})
    with pytest.raises(KeyError), open_(tmp_path, overwrite=True):
        raise KeyError
    assert str(find(tmp_path)).startswith("a finished run") and (tmp_path / "best.ckpt").exists()


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    write(tmp_path, "current.ckpt.saving", "models/model_1.ckpt.placing", ".run.json.99999999.tmp")
    with open_(tmp_path):
        pass
    assert {each.name for each in tmp_path.rglob("*")} == {".lock", "models"}


def test_one_command_at_a_time(tmp_path):
    with (
        open_(tmp_path),
        pytest.raises(ConfigError, match="is in use by process.*mmf_run config=a.yaml"),
        open_(tmp_path, trains=False),
    ):
        pass


@pytest.mark.parametrize(
    ("variables", "first"),
    [
        ({}, True),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "2", "LOCAL_RANK": "0"}, False),
        ({"SLURM_PROCID": "1"}, False),
        ({"LOCAL_RANK": "1"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),
    ],
)
def test_only_the_first_process_of_a_run_takes_the_lock(monkeypatch, variables, first):
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_first_process() is first
