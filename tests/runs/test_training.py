"""Training from Python, twice in one process, whose state is restored."""

import logging
import random
import signal
import sys
import warnings

import pytest
from real_commands import recipe

import mmf_cmsbert
from mmf_cmsbert.errors import ConfigError, UserError
from mmf_cmsbert.registration import mmf_installed, register

pytestmark = pytest.mark.skipif(not mmf_installed(), reason="MMF is not installed")


def state():
    """Return the state of the process that a run may change."""
    from mmf.common.registry import registry

    loggers = [logging.root, logging.getLogger("mmf"), logging.getLogger("py.warnings")]
    return {
        "argv": sys.argv,
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "handlers": [list(logger.handlers) for logger in loggers],
        "levels": [logger.level for logger in loggers],
        "registry": dict(registry.mapping["state"]),
        "streams": (sys.stdout, sys.stderr),
        "numbers": random.getstate(),
        "warnings": (warnings.showwarning, list(warnings.filters)),
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two runs with the same seed, and the state of the process before and after each."""
    register()
    from mmf.utils.env import setup_imports

    setup_imports()
    folder = tmp_path_factory.mktemp("python")
    file = recipe(folder, max_updates=4, evaluation_interval=2, batch_size=8)
    sizes = {"seed": 1, "train": 16, "val": 8, "test": 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        states = [state()]
        given = {"env": {"data_dir": folder / "data"}, "training.seed": 3}
        given |= {f"dataset_config.mosi.synthetic.{name}": sizes[name] for name in sizes}
        first = mmf_cmsbert.train(file, given, save_dir=folder / "first")
        states.append(state())
        words = [f"env.data_dir={folder}/data", "training.seed=3"]
        words += [f"dataset_config.mosi.synthetic.{name}={sizes[name]}" for name in sizes]
        second = mmf_cmsbert.train(file, words, save_dir="second")
        states.append(state())
        yield first, second, states


def test_the_second_run_has_the_numbers_of_the_first(trained):
    first, second, _ = trained
    assert first.status == second.status == "finished"
    assert first.scores == second.scores and set(first.scores) == {"validation", "test"}
    assert first.best_update == second.best_update
    assert first.predict("a good film").score == second.predict("a good film").score


@pytest.mark.parametrize(
    "what",
    ["argv", "signals", "handlers", "levels", "registry", "streams", "numbers", "warnings"],
)
def test_the_process_is_as_before(trained, what):
    before, between, after = (each[what] for each in trained[2])
    assert between == before and after == before


def test_the_record_names_a_command_that_makes_the_same_run(trained):
    first, _, _ = trained
    assert first.record["command"].startswith("mmf_run config=")
    assert "training.seed=3" in first.record["command"]


def test_a_finished_runs_folder_is_refused_and_resumed_on_request(trained):
    first, _, _ = trained
    file = first.folder.parent / "small.yaml"
    with pytest.raises(ConfigError, match="contains a finished run"):
        mmf_cmsbert.train(file, save_dir=first.folder)


@pytest.mark.parametrize(
    ("file", "overrides", "named"),
    [
        ("nothing.yaml", None, "there is no such file"),
        ("projects/cmsbert/demo.yaml", {"training.max_update": 2}, "max_updates"),
        ("projects/cmsbert/demo.yaml", {"training": {"seed": "x"}}, "training.seed is 'x'"),
        (
            "projects/cmsbert/demo.yaml",
            {"run_type": "val"},
            "there is no trained model to evaluate",
        ),
    ],
)
def test_a_mistake_is_a_user_error(tmp_path, file, overrides, named):
    with pytest.raises(UserError, match=named):
        mmf_cmsbert.train(file, overrides, save_dir=tmp_path / "run")


def test_several_processes_are_refused(trained):
    first, _, _ = trained
    options = {"training.trainer": "lightning_cmsbert", "training.lightning.devices": 2}
    options |= {"env.data_dir": first.folder.parent / "data", "training.device": "cpu"}
    pytest.importorskip("pytorch_lightning")
    with pytest.raises(ConfigError, match="train\\(\\) makes a run in this one"):
        mmf_cmsbert.train(
            first.folder.parent / "small.yaml", options, save_dir=first.folder.parent / "several"
        )
