"""Rate and length of each recipe, chosen on validation with equal budgets."""

import json
import sys
from pathlib import Path

import pytest
import yaml

SCRIPTS = Path(__file__).resolve().parents[2] / "projects" / "cmsbert" / "claims"


@pytest.fixture
def grid(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import grid

    yield grid
    del sys.modules["grid"]


def run(folder, name, seed, value, status="finished"):
    place = folder / "runs" / name / "base" / f"seed_{seed}"
    place.mkdir(parents=True)
    content = {"format": 1, "status": status, "best": {"update": 2, "value": value}}
    (place / "run.json").write_text(json.dumps(content))


def test_a_grid_has_every_recipe_with_every_rate_and_length(grid, tmp_path):
    words = ["--rate", "5e-5", "--rate", "1e-4", "--updates", "54", "--updates", "108"]
    grid.main(["write", str(tmp_path / "recipes"), *words])
    files = sorted((tmp_path / "recipes").glob("*.yaml"))
    assert len(files) == 4 * 2 * 2
    mag = yaml.safe_load((tmp_path / "recipes/mag_1e-4_54.yaml").read_text())
    assert mag["model_config"]["cmsbert"]["shift"]["context"] == "word"
    assert mag["optimizer"]["params"]["lr"] == 1e-4
    assert mag["training"]["max_updates"] == 54
    text = yaml.safe_load((tmp_path / "recipes/text_only_5e-5_108.yaml").read_text())
    assert text["model_config"]["cmsbert"]["modalities"] == ["text"]
    assert text["optimizer"]["params"]["lr"] == 5e-5


def test_a_recipe_keeps_what_it_says_of_the_optimizer_and_of_training(grid, tmp_path):
    words = ["--recipe", "mag_bert", "--rate", "1e-4", "--updates", "54"]
    grid.main(["write", str(tmp_path), *words])
    content = yaml.safe_load((tmp_path / "mag_bert_1e-4_54.yaml").read_text())
    assert content["optimizer"]["params"] == {"eps": 1e-6, "lr": 1e-4}
    assert content["training"] == {"clip_gradients": False, "max_updates": 54}


def test_each_recipe_gets_the_setting_with_the_lowest_mean_of_validation(grid, tmp_path, capsys):
    for name, values in {
        "text_only_5e-5_54": (0.9, 0.7),
        "text_only_1e-4_54": (0.6, 0.9),
        "cms_clr_5e-5_54": (0.7, 0.7),
        "cms_clr_1e-4_54": (0.6, 0.7),
    }.items():
        for seed, value in enumerate(values, 1):
            run(tmp_path, name, seed, value)
    grid.main(["choose", str(tmp_path), str(tmp_path / "chosen"), "--updates", "108"])
    rates = {
        file.stem: yaml.safe_load(file.read_text())["optimizer"]["params"]["lr"]
        for file in (tmp_path / "chosen").glob("*.yaml")
    }
    assert rates == {"text_only": 1e-4, "cms_clr": 1e-4}
    content = yaml.safe_load((tmp_path / "chosen/text_only.yaml").read_text())
    assert content["training"]["max_updates"] == 108
    assert "0.7500  text_only_1e-4_54  <- chosen\n" in capsys.readouterr().out


def test_unequal_budgets_and_unfinished_runs_are_refused(grid, tmp_path):
    with pytest.raises(SystemExit, match="no finished run"):
        grid.scores(tmp_path)
    run(tmp_path, "text_only_5e-5_54", 1, 0.9)
    run(tmp_path, "cms_clr_1e-4_54", 1, 0.8)
    with pytest.raises(SystemExit, match="cms_clr .*text_only|text_only .*cms_clr"):
        grid.chosen(grid.scores(tmp_path))
    run(tmp_path, "cms_clr_5e-5_54", 1, 0.8, status="interrupted")
    with pytest.raises(SystemExit, match="this run is not finished"):
        grid.scores(tmp_path)
