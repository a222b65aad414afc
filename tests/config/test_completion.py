"""A command line is completed and checked before MMF starts."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config import words
from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.errors import ConfigError

DEMO = {"config": "projects/cmsbert/demo.yaml"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty working folder, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("MMF_SAVE_DIR", "MMF_USER_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(path, text):
    path.write_text(text)
    return {"config": str(path)}


def test_model_and_dataset_come_from_a_shipped_file_in_any_folder():
    options = complete(DEMO).options
    assert (options["model"], options["dataset"]) == ("cmsbert", "mosi")
    assert options["config"].endswith("projects/cmsbert/demo.yaml")


def test_the_working_folder_is_looked_in_before_what_is_shipped(elsewhere):
    own = elsewhere / "projects" / "cmsbert"
    own.mkdir(parents=True)
    write(own / "demo.yaml", "model: cmsbert\ndataset: mosei\n")
    assert complete(DEMO).options["dataset"] == "mosei"


def test_the_command_line_wins_over_the_file():
    options = complete(DEMO | {"model": "visual_bert", "dataset": "hateful_memes"}).options
    assert (options["model"], options["dataset"]) == ("visual_bert", "hateful_memes")


def test_several_datasets_stand_in_the_file_as_a_list_or_with_commas(elsewhere):
    for datasets in ("mosi,mosei", "[mosi, mosei]"):
        file = write(elsewhere / "both.yaml", f"model: cmsbert\ndatasets: {datasets}\n")
        assert complete(file).options["dataset"] == "mosi,mosei"


def test_a_stock_command_passes_through_unchanged():
    typed = {"model": "visual_bert", "dataset": "hateful_memes", "training.batch_size": "2"}
    assert complete(typed).options == typed


def test_another_plugins_user_dir_is_imported(elsewhere):
    plugin = elsewhere / "other_plugin"
    plugin.mkdir()
    (plugin / "__init__.py").write_text(
        "from mmf.common.registry import registry\n"
        "from mmf.models.base_model import BaseModel\n"
        "@registry.register_model('from_other_plugin')\n"
        "class Model(BaseModel):\n"
        "    pass\n"
    )
    file = write(
        elsewhere / "run.yaml",
        f"model: from_other_plugin\ndataset: mosi\nenv:\n  user_dir: {plugin}\n",
    )
    assert complete(file).options["model"] == "from_other_plugin"


def test_keys_that_another_plugins_model_declares_are_checked(elsewhere):
    plugin = elsewhere / "declaring_plugin"
    plugin.mkdir()
    (plugin / "__init__.py").write_text(
        "from mmf.common.registry import registry\n"
        "from mmf.models.base_model import BaseModel\n"
        "from pydantic import Field\n"
        "from mmf_cmsbert.config.schemas.section import Section\n"
        "class Config(Section):\n"
        "    layers: int = Field(default=2, ge=1, le=24, description='Encoder layers.')\n"
        "@registry.register_model('declaring')\n"
        "class Model(BaseModel):\n"
        "    config_schema = Config\n"
    )
    common = f"model: declaring\ndataset: mosi\nenv:\n  user_dir: {plugin}\n"
    common += "training:\n  its_own: 1\n"
    for section, message in (
        ("layers: 25", "layers is 25; expected a whole number from 1 to 24"),
        ("layer: 3", "layer is not a known key. Did you mean model_config.declaring.layers?"),
    ):
        own = f"model_config:\n  declaring:\n    {section}\n"
        with pytest.raises(ConfigError, match=f"run.yaml: model_config.declaring.{message}"):
            complete(write(elsewhere / "run.yaml", common + own))
    file = write(elsewhere / "run.yaml", common + "model_config:\n  declaring:\n    layers: 3\n")
    assert complete(file).resolved()["model_config"]["declaring"] == {"layers": 3}


def test_all_that_is_wrong_is_named_at_once_with_where_it_is(elsewhere):
    text = "model: cmsbert\ndataset: mosi\ntraining:\n  seed: foo\nmodel_config:\n  cmsbert:\n"
    file = write(elsewhere / "bad.yaml", text + "    shift:\n      beta: 0\n")
    typed = file | {"dataset_config.mosi.max_frames": "0"}
    with pytest.raises(ConfigError) as error:
        complete(typed, override={"training": {"batch_size": 0}})
    message = str(error.value)
    assert message.startswith("4 keys or values are wrong:\n")
    bad = elsewhere / "bad.yaml"
    assert f"\n  {bad}: model_config.cmsbert.shift.beta is 0; expected a number above 0" in message
    assert "\n  dataset_config.mosi.max_frames is 0; expected the largest number" in message
    assert f"\n  {bad}: training.seed is 'foo'; expected a whole number" in message
    assert "\n  --config_override: training.batch_size is 0; expected a whole" in message


def test_a_typed_value_replaces_a_wrong_one_of_the_file(elsewhere):
    file = write(elsewhere / "bad.yaml", "model: cmsbert\ndataset: mosi\ntraining: {seed: foo}\n")
    assert complete(file | {"training.seed": "3"}).resolved()["training"]["seed"] == 3


def test_nothing_of_mmfs_configuration_is_built(monkeypatch):
    from mmf.utils.configuration import Configuration

    def built(self, *args, **kwargs):
        raise AssertionError("a configuration is built")

    monkeypatch.setattr(Configuration, "__init__", built)
    assert complete(DEMO).resolved()["training"]["max_updates"] == 600


def test_the_configuration_is_the_one_that_mmf_builds(monkeypatch):
    from argparse import Namespace

    from mmf.utils.configuration import Configuration

    typed = DEMO | {
        "model_config.cmsbert.losses[1].params.weight": "0.2",
        "dataset_config.mosi.synthetic": "None",
        "checkpoint.pretrained_state_mapping": "{'a': 'b'}",
        "training.lightning.devices": "[0, 1]",
        "env.save_dir": "123",
    }
    completed = complete(typed)
    opts = [words.write(*each) for each in completed.options.items()]
    built = Configuration(Namespace(config_override=None, opts=opts)).get_config()
    assert completed.resolved() == OmegaConf.to_container(built, resolve=True)


def test_the_environments_save_dir_wins_over_the_recipes_but_not_over_what_is_typed(monkeypatch):
    monkeypatch.setenv("MMF_SAVE_DIR", "/from/environment")
    assert complete(DEMO).options["env.save_dir"] == "/from/environment"
    assert complete(DEMO | {"env.save_dir": "typed"}).options["env.save_dir"] == "typed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config": "nowhere.yaml"}, "there is no such file.*projects/cmsbert/mosi.yaml"),
        ({"model": "cmsbert"}, "dataset is missing"),
        ({"dataset": "mosi"}, "model is missing"),
        (DEMO | {"model": "cmsbrt"}, "Did you mean cmsbert"),
        (DEMO | {"dataset": "mossi"}, "Did you mean mosi"),
        (
            DEMO | {"training.batchsize": "3"},
            "batchsize is not a known key. Did you mean training.batch_size",
        ),
        (DEMO | {"model_config.cmsbert.shift.contxt": "word"}, "shift.context"),
        (DEMO | {"model_config.cmsbert.shift": "word"}, "is a section"),
        (DEMO | {"training.early_stop.patience": "foo"}, "patience is 'foo'; expected a whole"),
        (DEMO | {"optimizer.params.lr": "foo"}, "lr is 'foo'; expected a number"),
        (DEMO | {"training.log_interval": "0"}, "log_interval is 0; expected"),
        (DEMO | {"run_type": "tset"}, "run_type is 'tset'; expected some of train"),
        (DEMO | {"env.user_dir": "/no/such"}, "env.user_dir=/no/such: "),
        ({}, "nothing to run; type for example"),
    ],
)
def test_what_cannot_be_right_is_refused_with_what_to_type(options, message):
    with pytest.raises(ConfigError, match=message):
        complete(options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training:\n  batchsize: 3\n", "Did you mean training.batch_size"),
        ("trainig:\n  batch_size: 3\n", "Did you mean training"),
        ("training: 3\n", "bad.yaml: training is 3; expected a section"),
        ("env:\n", "bad.yaml: env is None; expected a section"),
        ("env: [1]\n", "bad.yaml: env is .1.; expected a section"),
        ("training: [", r"bad.yaml: not YAML \(line 4"),
        ("model_config:\n  cmsbrt: {}\n", "Did you mean model_config.cmsbert"),
        ("dataset_config:\n  mosii: {}\n", "Did you mean dataset_config.mosi"),
        ("optimizer:\n  typ: adam_w\n", "Did you mean optimizer.type"),
        ("training:\n  seed: foo\n", "bad.yaml: training.seed is 'foo'"),
        ("training:\n  early_stop:\n    patience: long\n", "bad.yaml: .*patience is 'long'"),
    ],
)
def test_a_misspelt_file_is_refused_with_its_name(elsewhere, text, message):
    file = write(elsewhere / "bad.yaml", "model: cmsbert\ndataset: mosi\n" + text)
    with pytest.raises(ConfigError, match=message) as error:
        complete(file)
    assert "bad.yaml" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"- 1\n- 2\n", b"model: caf\xe9\n"])
def test_a_file_that_is_no_configuration_is_named(elsewhere, content):
    (elsewhere / "bad.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match="bad.yaml: "):
        complete({"config": "bad.yaml"})


def test_predicting_without_a_trained_model_is_refused(elsewhere):
    with pytest.raises(ConfigError, match="no trained model.*best.ckpt.*checkpoint.resume_file"):
        complete(DEMO, predict=True)


def test_predicting_takes_the_best_checkpoint_unless_one_is_named(elsewhere):
    best = elsewhere / "save" / "synthetic_demo" / "best.ckpt"
    best.parent.mkdir(parents=True)
    best.touch()
    options = complete(DEMO, predict=True).options
    assert options["checkpoint.resume_file"] == str(best)
    assert options["evaluation.predict"] == "True"
    named = complete(DEMO | {"checkpoint.resume_file": "mine.pth"}, predict=True).options
    assert named["checkpoint.resume_file"] == "mine.pth"


@pytest.mark.parametrize("resume", ["True", "False"])
def test_predicting_resumes_only_from_a_checkpoint_that_is_there(elsewhere, resume):
    typed = DEMO | {"checkpoint.resume": resume}
    with pytest.raises(ConfigError, match="no trained model"):
        complete(typed, predict=True)
    folder = elsewhere / "save" / "synthetic_demo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "best.ckpt").touch()
    loads_best = "checkpoint.resume_file" in complete(typed, predict=True).options
    assert loads_best is (resume == "False")


def test_a_folder_that_cannot_be_saved_to_is_refused_before_anything_starts(elsewhere):
    (elsewhere / "file").touch()
    with pytest.raises(ConfigError, match="env.save_dir=file cannot be created"):
        complete(DEMO | {"env.save_dir": "file"})
    (elsewhere / "taken" / "best.ckpt").mkdir(parents=True)
    with pytest.raises(ConfigError, match="best.ckpt is a folder"):
        complete(DEMO | {"env.save_dir": "taken"})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"bogus": {"x": 1}}, "--config_override: bogus is not a known key"),
        ({"training": {"sead": 1}}, "Did you mean training.seed"),
    ],
)
def test_keys_of_a_json_override_are_checked(override, message):
    with pytest.raises(ConfigError, match=message):
        complete(DEMO, override=override)
