"""The files of defaults and the documentation page agree with the schemas."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config import reference, write_defaults
from mmf_cmsbert.config.schemas.sections import SECTIONS
from mmf_cmsbert.config.schemas.validation import problems
from mmf_cmsbert.paths import PACKAGE

FILES = write_defaults.files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_shipped_file_is_what_its_schema_writes(path):
    assert path.read_text(encoding="utf-8") == FILES[path], "type: make defaults"


def test_the_page_of_the_documentation_is_what_the_schemas_write():
    page = PACKAGE.parent / "docs" / "configuration.md"
    if not page.is_file():
        pytest.skip("only a checkout has the documentation")
    assert page.read_text(encoding="utf-8") == reference.page(), "type: make defaults"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_shipped_values_pass_their_schema_and_equal_its_defaults(path):
    content = OmegaConf.create({"env": {"data_dir": "/data"}})
    content = OmegaConf.to_container(OmegaConf.merge(content, OmegaConf.load(path)), resolve=True)
    name = path.parent.name
    kind = "model_config" if name == "cmsbert" else "dataset_config"
    key = f"{kind}.{name}"
    assert problems(SECTIONS[key], content[kind][name], key) == []
    loaded = OmegaConf.to_container(OmegaConf.load(path))[kind][name]
    assert loaded == SECTIONS[key]().plain()


def test_every_key_explains_itself():
    unexplained = [each.key for each in reference.entries(SECTIONS) if not each.help]
    assert unexplained == []


def test_long_help_is_wrapped_and_commands_stay_in_one_line():
    for text in FILES.values():
        long = [line for line in text.splitlines() if len(line) > 100]
        assert all(line.lstrip().startswith(('#   "', "#   {")) for line in long)
