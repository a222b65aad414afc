import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments import recipe


def test_a_recipe_is_found_as_a_file_or_by_its_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recipe.find("mag").name == "mag.yaml"
    assert recipe.find("projects/cmsbert/demo.yaml").is_absolute()
    (tmp_path / "mine.yaml").write_text("a: 1\n")
    assert recipe.find("mine.yaml") == tmp_path / "mine.yaml"
    with pytest.raises(ConfigError, match="magg: .*Shipped: .*mag_bert"):
        recipe.find("magg")


def test_a_name_keeps_its_dots(tmp_path):
    assert recipe.name_of(tmp_path / "label_smoothing_0.2.yaml") == "label_smoothing_0.2"


def test_over_a_base_only_what_the_recipe_itself_says_is_kept(tmp_path):
    file, base = tmp_path / "mine.yaml", tmp_path / "base.yaml"
    file.write_text("includes: [../mosi.yaml]\nmodel_config:\n  x: ${training.seed}\n")
    base.write_text("training: {seed: 3}\n")
    target = recipe.over(file, base, tmp_path / "made" / "mine.yaml")
    assert recipe.read(target) == {
        "includes": [str(base)],
        "model_config": {"x": "${training.seed}"},
    }
    assert target.read_text().splitlines()[:2] == [
        "# mine.yaml over base.yaml",
        f"#   mmf_run config={target}",
    ]


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "a: ${"])
def test_what_is_no_configuration_is_named(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ConfigError, match="bad.yaml"):
        recipe.read(tmp_path / "bad.yaml")
