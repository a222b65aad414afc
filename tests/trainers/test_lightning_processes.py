"""The processes of a run are started once, with the typed command."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError

pytest.importorskip("mmf")
pytest.importorskip("pytorch_lightning")

from mmf_cmsbert.config.shipped import own_defaults  # noqa: E402
from mmf_cmsbert.trainers import lightning_processes, lost_processes  # noqa: E402

VARIABLES = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "WORLD_SIZE", "LOCAL_RANK")


@pytest.fixture
def started(monkeypatch):
    """Record the arguments and environment of processes instead of starting them."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # restored afterwards
        monkeypatch.delenv(name)
    commands = []

    def popen(command, env, **kwargs):
        commands.append((command, {name: env[name] for name in VARIABLES}))
        return SimpleNamespace(wait=lambda timeout=None: 0)

    monkeypatch.setattr(subprocess, "Popen", popen)
    # so that later tests do not send signals to them
    monkeypatch.setattr(lost_processes, "_started", {})
    monkeypatch.setattr(sys, "orig_argv", ["python", "-X", "dev", "/bin/mmf_run", "config=my.yaml"])
    monkeypatch.setattr(
        lightning_processes.DDPStrategy, "setup_environment", lambda self: self.set_world_ranks()
    )
    return commands


def training(precision="fp32", **lightning):
    section = OmegaConf.create(own_defaults()).training
    section.lightning.update(lightning)
    rest = {"device": "cpu", "find_unused_parameters": False, "progress_bar": "auto"}
    rest["precision"] = precision
    return OmegaConf.create({"training": OmegaConf.merge(section, rest)}).training


def with_precision(general, own):
    section = training(precision=general)
    section.lightning.precision = own
    return section


def test_one_process_is_enough_unless_more_are_asked_for(started):
    trainer, ranks = lightning_processes.build(training())
    assert not started and (ranks.rank, ranks.count) == (0, 1)
    assert trainer.precision == "32-true"


def test_the_same_command_is_started_for_each_other_process(started):
    _, ranks = lightning_processes.build(training(devices=3))
    assert (ranks.rank, ranks.count) == (0, 3)
    assert len({environment["MASTER_PORT"] for _, environment in started}) == 1
    for rank, (command, environment) in enumerate(started, start=1):
        assert command == [sys.executable, "-X", "dev", "/bin/mmf_run", "config=my.yaml"]
        expected = {"LOCAL_RANK": str(rank), "WORLD_SIZE": "3", "NODE_RANK": "0"}
        assert environment.items() >= expected.items()
    assert os.environ["LOCAL_RANK"] == "0"
    lightning_processes.build(training(devices=3))
    assert len(started) == 2, "they are there"


def test_on_each_of_two_machines_those_of_that_machine(started, monkeypatch):
    monkeypatch.setenv("NODE_RANK", "1")
    monkeypatch.setenv("MASTER_ADDR", "first")
    monkeypatch.setenv("MASTER_PORT", "1234")
    _, ranks = lightning_processes.build(training(devices=2, num_nodes=2))
    assert (ranks.rank, ranks.count) == (2, 4)
    ((_, environment),) = started
    assert environment == {
        "MASTER_ADDR": "first",
        "MASTER_PORT": "1234",
        "NODE_RANK": "1",
        "WORLD_SIZE": "4",
        "LOCAL_RANK": "1",
    }


def test_what_was_started_elsewhere_starts_nothing(started, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    _, ranks = lightning_processes.build(training(devices=2))
    assert not started and (ranks.rank, ranks.count) == (1, 2)


@pytest.mark.parametrize(
    ("general", "own", "told"),
    [
        ("fp32", None, "32-true"),
        ("bf16", None, "bf16-mixed"),
        ("fp32", "bf16", "bf16-mixed"),
        ("bf16", "bf16", "bf16-mixed"),
    ],
)
def test_precision_is_the_general_one_or_this_trainers_own(started, general, own, told):
    trainer, _ = lightning_processes.build(with_precision(general, own))
    assert trainer.precision == told


def test_two_precisions_that_contradict_each_other_are_refused(started):
    with pytest.raises(ConfigError, match="training.precision is bf16, but .* is fp32"):
        lightning_processes.build(with_precision("bf16", "32"))


@pytest.mark.parametrize(
    ("general", "own", "key"),
    [("fp32", "16", "training.lightning.precision"), ("tf32", None, "training.precision")],
)
def test_what_a_cpu_cannot_compute_in_is_refused(started, general, own, key):
    with pytest.raises(ConfigError, match=f"^{key} is (fp16|tf32), which needs a GPU"):
        lightning_processes.build(with_precision(general, own))
