import pytest
from made_up_runs import write_record

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.records import provenance


def test_every_recipe_runs_with_every_seed_in_a_folder_of_its_own(planned):
    jobs = planned(["a", "b"], seeds=3, options=["optimizer.params.lr=1e-3"])
    assert [job.label for job in jobs] == [f"{r} seed {s}" for s in (1, 2, 3) for r in "ab"]
    assert len({job.folder for job in jobs}) == 6
    words = jobs[1].words
    assert "optimizer.params.lr=1e-3" in words and "training.seed=1" in words
    assert f"env.save_dir={jobs[1].folder.resolve()}" in words


def test_a_base_takes_the_place_of_what_a_recipe_includes(planned, tmp_path):
    for fold in ("fold1", "fold2"):
        (tmp_path / f"{fold}.yaml").write_text("base: true\n")
    jobs = planned(["a"], seeds=2, bases=[tmp_path / "fold1.yaml", tmp_path / "fold2.yaml"])
    assert [job.replicate for job in jobs] == [
        ("fold1", 1), ("fold2", 1), ("fold1", 2), ("fold2", 2),
    ]  # fmt: skip
    text = jobs[1].config["text"]
    assert "key: a" in text and str(tmp_path / "fold2.yaml") in text and "base.yaml" not in text
    assert len({job.folder for job in jobs}) == 4


@pytest.mark.parametrize(
    ("option", "instead"),
    [("training.seed=3", "--seeds"), ("env.save_dir=x", "--output"), ("run_type=test", "run_type")],
)
def test_what_an_experiment_sets_itself_cannot_be_set(planned, option, instead):
    with pytest.raises(ConfigError, match=instead):
        planned(["a"], options=[option])


def test_two_recipes_of_one_name_are_refused(planned):
    with pytest.raises(ConfigError, match="have the same name"):
        planned(["a", "a"])


def test_a_finished_run_of_the_same_inputs_is_done(planned):
    (job,) = planned(["a"])
    assert job.reasons_to_repeat()
    write_record(job.folder, job.config)
    assert job.reasons_to_repeat() == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"config": {"datasets": "mosi", "optimizer": {"lr": 1}}},
            "optimizer.lr was 1 and is None",
        ),
        ({"code_sha256": "other"}, "the package's code has changed"),
        ({"versions": provenance.versions() | {"torch": "1.5"}}, "torch was 1.5"),
        ({"backbone": "other"}, "weights of the backbone"),
        ({"data": {"mosi": {"train": {"train.pkl": "abc"}}}}, "train.train.pkl is missing"),
        ({"status": "failed"}, "not been finished"),
        ({"test": None}, "not scored on test"),
    ],
)
def test_a_run_is_made_again_when_what_it_depends_on_has_changed(planned, changed, reason):
    (job,) = planned(["a"])
    write_record(job.folder, **({"config": job.config} | changed))
    assert reason in "; ".join(job.reasons_to_repeat())


def test_where_a_run_is_saved_and_what_it_logs_does_not_matter(planned):
    (job,) = planned(["a"])
    training = job.config["training"] | {"log_interval": 7, "experiment_name": "x"}
    elsewhere = job.config | {"training": training, "env": {"save_dir": "/elsewhere"}}
    write_record(job.folder, elsewhere)
    assert job.reasons_to_repeat() == []


def test_only_an_interrupted_run_of_the_same_inputs_with_a_checkpoint_goes_on(planned):
    (job,) = planned(["a"])
    write_record(job.folder, job.config, status="running", data=None)
    assert not job.can_resume()
    (job.folder / "current.ckpt").touch()
    assert job.can_resume()
    write_record(job.folder, job.config, status="running", data=None, code_sha256="other")
    assert not job.can_resume()
    write_record(job.folder, job.config)
    assert not job.can_resume()


def test_a_damaged_record_counts_as_none(planned):
    (job,) = planned(["a"])
    job.folder.mkdir(parents=True)
    (job.folder / "run.json").write_text('{"format": 1')
    assert job.reasons_to_repeat() == ["it has not been finished"]
