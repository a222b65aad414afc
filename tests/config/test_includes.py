"""Included configuration files: later ones have precedence, and circles are refused."""

import pytest

from mmf_cmsbert.config.includes import ConfigFiles
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.paths import PACKAGE


@pytest.fixture
def load(tmp_path):
    """Return a function that writes files by name, and loads main.yaml."""

    def write_and_load(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return ConfigFiles(tmp_path / "mmf").load(tmp_path / "main.yaml")

    return write_and_load


def test_a_file_stands_over_what_it_includes_and_later_includes_over_earlier(load):
    config = load(
        main="includes: [./one.yaml, two.yaml]\nc: main\n",
        one="a: one\nb: one\nc: one\nd: [1, 2]\n",
        two="b: two\nd: [3]\n",
    )
    assert config == {"a": "one", "b": "two", "c": "main", "d": [3]}


@pytest.mark.parametrize(
    "files",
    [
        {"main": "includes: [main.yaml]"},
        {"main": "includes: [one.yaml]", "one": "includes: [./main.yaml]"},
        {
            "main": "includes: [one.yaml]",
            "one": "includes: [two.yaml]",
            "two": "includes: [one.yaml]",
        },
    ],
)
def test_a_circle_of_includes_is_one_message(load, files):
    with pytest.raises(ConfigError, match="circle: .* -> "):
        load(**files)


def test_including_a_file_in_two_ways_is_no_circle_and_reads_it_once(load):
    files = {f"f{n}": f"includes: [f{n + 1}.yaml, f{n + 1}.yaml]\n" for n in range(40)}
    assert load(main="includes: [f0.yaml]", **files, f40="a: 1") == {"a": 1}


def test_a_shipped_recipe_is_included_by_the_name_that_config_takes(load):
    config = load(main="includes: [projects/cmsbert/demo.yaml]\ntraining: {max_updates: 2}")
    assert config.training.max_updates == 2
    assert config.training.experiment_name == "synthetic_demo"
    assert (PACKAGE / "projects/cmsbert/demo.yaml").is_file()


@pytest.mark.parametrize("includes", ["one.yaml", "{a: 1}", "[1]", "[[one.yaml]]"])
def test_includes_that_are_no_list_of_names_are_one_message(load, includes):
    with pytest.raises(ConfigError, match="list of files"):
        load(main=f"includes: {includes}", one="a: 1")


def test_a_missing_include_names_the_places_that_were_searched(load, tmp_path):
    with pytest.raises(ConfigError, match="nowhere.yaml") as caught:
        load(main="includes: [nowhere.yaml]")
    assert str(PACKAGE) in str(caught.value) and str(tmp_path) in str(caught.value)


def test_an_include_that_is_no_yaml_is_not_quoted(load, tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0:hunter2\n\t- [")
    with pytest.raises(ConfigError, match="passwd") as caught:
        load(main=f"includes: [{tmp_path / 'passwd'}]")
    assert "hunter2" not in str(caught.value)


def test_a_section_over_a_value_is_replaced(load):
    config = load(main="includes: [one.yaml]\na: {b: 1}", one="a: text")
    assert config == {"a": {"b": 1}}


def test_the_length_that_a_file_sets_replaces_the_other_kind_of_length(load):
    config = load(
        main="includes: [one.yaml]\ntraining: {max_epochs: 3}", one="training: {max_updates: 9}"
    )
    assert config.training == {"max_updates": None, "max_epochs": 3}
