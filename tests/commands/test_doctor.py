"""``cmsbert doctor`` reports what is installed and what is missing."""

from importlib import metadata

import pytest

from mmf_cmsbert.compat import patch
from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.installation import report


@pytest.fixture(scope="module")
def mmf():
    pytest.importorskip("mmf")


def test_it_shows_versions_the_line_and_every_active_patch_with_its_reason(cmsbert, mmf):
    result = cmsbert("doctor", "config=projects/cmsbert/demo.yaml")
    assert result.exit_code == 0, result.stdout
    assert metadata.version("transformers") in result.stdout
    assert f"| line    | {mmf_line.installed()} " in result.stdout
    assert "synthetic, created when needed" in result.stdout
    assert "| backbone | folder " in result.stdout
    for each in patch.active():
        assert each.target in result.stdout and each.why in result.stdout
    table = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in table), "each row is one line of Markdown"


def test_missing_data_is_shown_with_what_to_type(cmsbert, mmf, tmp_path):
    result = cmsbert(
        "doctor", "config=projects/cmsbert/mosi.yaml", f"env.data_dir={tmp_path}/nothing"
    )
    assert result.exit_code == 0, "a missing corpus is no fault of the installation"
    assert result.stdout.count("not found") >= 3
    assert result.stdout.count("dataset_config.mosi.source=PATH") == 1


def test_a_wrong_key_is_shown_as_mmf_run_shows_it(cmsbert, mmf):
    result = cmsbert("doctor", "config=projects/cmsbert/demo.yaml", "training.sed=1")
    assert "Did you mean training.seed?" in result.stdout


def test_an_optional_library_that_is_missing_has_its_command(cmsbert, mmf, monkeypatch):
    monkeypatch.setattr(report, "_OPTIONAL", {"no-such-library": ("nothing", "no-such-library")})
    result = cmsbert("doctor", "config=projects/cmsbert/demo.yaml")
    assert result.exit_code == 0
    assert "| missing | nothing    | pip install no-such-library |" in result.stdout


def test_without_mmf_it_says_how_to_install_it_and_ends_with_an_error(cmsbert, monkeypatch):
    monkeypatch.setattr(report, "find_spec", lambda name: None)
    result = cmsbert("doctor")
    assert result.exit_code == 1 and "cmsbert install-mmf" in result.stdout
