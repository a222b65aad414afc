"""Installing MMF: the commands of pip, which is not run, and whether there is nothing to do."""

import sys
import sysconfig
from types import SimpleNamespace

import pytest

from mmf_cmsbert.errors import UserError
from mmf_cmsbert.installation import install as module
from mmf_cmsbert.installation.install import install
from mmf_cmsbert.installation.lines import LINES


@pytest.fixture
def pip(monkeypatch):
    """A fake pip: `ran` contains its commands, `status` is the exit status of an install."""
    pip = SimpleNamespace(ran=[], environments=[], status=0)

    def run(command, env):
        pip.ran.append(command)
        pip.environments.append(env)
        return SimpleNamespace(returncode=pip.status if command[4] == "install" else 0)

    monkeypatch.setattr(module.subprocess, "run", run)
    return pip


@pytest.mark.parametrize("name", LINES)
def test_each_line_is_installed_without_its_dependencies_into_this_python(name):
    *_, command = LINES[name].commands()
    assert command[:3] == [sys.executable, "-m", "pip"]
    assert "--no-deps" in command and f"--target={sysconfig.get_path('purelib')}" in command
    assert any(word.startswith("mmf") for word in command)


def test_the_other_line_is_removed_first_and_each_command_is_shown(pip, monkeypatch):
    monkeypatch.setattr(module, "installed", lambda: "main")
    shown = []
    install(LINES["main"], shown.append)
    assert [command[4] for command in pip.ran] == ["uninstall", "install", "install"]
    assert len(shown) == 3 and "mmf" in shown[0].split()
    assert all(environment["READTHEDOCS"] == "1" for environment in pip.environments)


def test_a_failure_of_pip_says_what_to_type(pip):
    pip.status = 1
    with pytest.raises(UserError, match="cmsbert install-mmf --line rc10"):
        install(LINES["rc10"], print)
    assert len(pip.ran) == 2, "nothing follows it"


def test_an_installation_that_python_does_not_find_is_an_error(pip, monkeypatch):
    monkeypatch.setattr(module, "installed", lambda: None)
    with pytest.raises(UserError, match="does not find"):
        install(LINES["rc10"], print)


def test_without_pip_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="ensurepip"):
        install(LINES["rc10"], print)
