"""The configuration of a run is reused as a recipe."""

import yaml
from omegaconf import OmegaConf

from mmf_cmsbert.config import run_config


def snapshot(**changes):
    return {
        "config_version": 1.0,
        "model": "cmsbert",
        "datasets": "mosi",
        "config": "/elsewhere/mosi.yaml",
        "start_rank": 0,
        "device_id": 0,
        "distributed": {"world_size": 2, "rank": 0, "no_spawn": False},
        "training": {"max_updates": 30, "checkpoint_interval": 30, "device": "cpu", "seed": 7},
        "scheduler": {"params": {"num_training_steps": 30}},
        "evaluation": {"predict": False},
        "checkpoint": {"resume": True, "resume_file": None},
        "model_config": {"cmsbert": {"backbone": {"name": "models/bert"}}},
        "dataset_config": {
            "mosi": {
                "data_dir": "data",
                "annotations": {"train": ["a/train.pkl"]},
                "processors": {"word_processor": {"params": {"tokenizer": "models/bert"}}},
            }
        },
        "env": {"save_dir": "./save/run", "data_dir": "", "log_dir": ""},
    } | changes


def test_recipes_are_told_from_snapshots():
    assert run_config.is_snapshot(snapshot())
    assert not run_config.is_snapshot({"model": "cmsbert", "dataset": "mosi", "training": {}})


def test_what_belongs_to_the_machine_and_the_process_is_left_out(tmp_path):
    result = run_config.usable(snapshot(), tmp_path)
    for key in ("start_rank", "device_id", "config"):
        assert key not in result
    assert result["distributed"] == {"no_spawn": False}
    assert result["checkpoint"] == {"resume_file": None}
    assert "device" not in result["training"] and "log_dir" not in result["env"]
    assert result["training"]["seed"] == 7
    assert result["dataset"] == "mosi"


def test_relative_paths_are_found_from_any_working_folder(tmp_path):
    run = tmp_path / "save" / "run"
    (tmp_path / "models" / "bert").mkdir(parents=True)
    run.mkdir(parents=True)
    result = run_config.usable(snapshot(), run)
    assert result["model_config"]["cmsbert"]["backbone"]["name"] == str(tmp_path / "models/bert")
    assert result["dataset_config"]["mosi"]["data_dir"] == str(tmp_path / "data")
    assert result["dataset_config"]["mosi"]["annotations"]["train"] == ["a/train.pkl"]


def test_a_moved_run_does_not_say_where_its_relative_paths_began(tmp_path):
    assert run_config.working_folder(snapshot(), tmp_path / "moved" / "run") is None
    absolute = snapshot(env={"save_dir": "/save/run"})
    assert run_config.working_folder(absolute, tmp_path) is None


def test_an_override_reaches_what_the_recipe_derives_from_it(tmp_path):
    config = snapshot(env={"save_dir": "/save/run", "data_dir": str(tmp_path)})
    result = OmegaConf.create(run_config.usable(config, tmp_path))
    result.training.max_updates = 5
    result.model_config.cmsbert.backbone.name = "other"
    assert result.scheduler.params.num_training_steps == 5
    assert result.training.checkpoint_interval == 5
    params = result.dataset_config.mosi.processors.word_processor.params
    assert params.tokenizer == "other"


def test_a_value_that_did_not_follow_stays(tmp_path):
    config = snapshot(env={"save_dir": "/save/run", "data_dir": str(tmp_path)})
    config["scheduler"]["params"]["num_training_steps"] = 31
    result = run_config.usable(config, tmp_path)
    assert result["scheduler"]["params"]["num_training_steps"] == 31


def test_keys_of_the_other_line_of_mmf_are_left_out(tmp_path):
    config = snapshot()
    config["training"]["only_on_main"] = 1
    known = {section: snapshot()[section] for section in ("training", "evaluation", "checkpoint")}
    known |= {section: snapshot()[section] for section in ("env", "distributed")}
    assert "only_on_main" not in run_config.usable(config, tmp_path, known)["training"]


def test_a_kept_configuration_has_absolute_paths_and_reads_back(tmp_path):
    (tmp_path / "models" / "bert").mkdir(parents=True)
    kept = run_config.saved(snapshot(), tmp_path)
    run_config.write(kept, tmp_path / "config.yaml")
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == kept
    assert kept["env"]["save_dir"] == str(tmp_path / "save" / "run")
    assert kept["model_config"]["cmsbert"]["backbone"]["name"] == str(tmp_path / "models/bert")
    assert snapshot()["env"]["save_dir"] == "./save/run"


def test_a_temporary_file_is_not_kept_as_the_configuration_and_a_recipe_is():
    temporary = f"/tmp/{run_config.TEMPORARY}x1.yaml"
    for file, kept in ((temporary, {}), ("/own/recipe.yaml", {"config": "/own/recipe.yaml"})):
        found = run_config.without_temporary({"config": file, "model": "cmsbert"})
        assert found == {"model": "cmsbert", **kept}
