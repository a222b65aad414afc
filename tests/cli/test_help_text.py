"""The help of mmf_run and mmf_predict lists recipes and sections."""

import pytest

from mmf_cmsbert.cli import help_text
from mmf_cmsbert.config.reference import describe
from mmf_cmsbert.paths import PACKAGE


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("prog", ["mmf_run", "mmf_predict"])
def test_it_fits_the_terminal(monkeypatch, prog, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = help_text.of(prog).splitlines()
    assert max(map(len, lines)) <= width


def test_every_recipe_has_a_line():
    text = help_text.of("mmf_run")
    files = {file.name for file in (PACKAGE / "projects" / "cmsbert").glob("*.yaml")}
    for name in files - {"common.yaml"}:  # not a recipe
        assert f"projects/cmsbert/{name}  " in text
    assert "common.yaml" not in text


def test_every_section_of_the_configuration_has_a_line():
    pytest.importorskip("mmf")
    names = {line.strip() for line in describe(None).splitlines()[1:]}
    # MMF main has them too. The help is printed without importing MMF and does not know the line;
    # --help-config shows them.
    names -= {"trainer", "multitasking"}
    groups = ("dataset_config", "losses", "processors")
    single = {name for name in names if name.partition(".")[0] not in groups}
    assert set(help_text.SECTIONS) == single | {f"{group}.*" for group in groups}
    for group, _, name in (each.partition(".") for each in names - single):
        assert name in help_text.SECTIONS[f"{group}.*"]
