"""``cmsbert install-mmf``."""

import pytest

from mmf_cmsbert.installation import install


@pytest.fixture
def installed(monkeypatch):
    """Set the installed line; fail the test if pip is called."""
    monkeypatch.setattr(install.subprocess, "run", lambda *_, **__: pytest.fail("pip was called"))
    return lambda line: monkeypatch.setattr(install, "installed", lambda: line)


def test_nothing_is_done_where_the_line_is_installed(cmsbert, installed):
    installed("rc10")
    result = cmsbert("install-mmf")
    assert result.exit_code == 0 and "already installed" in result.stdout


def test_a_dry_run_shows_the_commands_and_what_they_replace(cmsbert, installed):
    installed("rc10")
    result = cmsbert("install-mmf", "--line", "main", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "instead of MMF 1.0.0rc10" in result.stdout
    assert "git+https://github.com/facebookresearch/mmf.git@" in result.stdout


def test_an_unknown_line_is_refused_with_the_known_ones(cmsbert):
    result = cmsbert("install-mmf", "--line", "rc12")
    assert result.exit_code == 2 and "rc10" in result.stderr and "main" in result.stderr
