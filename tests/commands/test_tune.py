"""``cmsbert tune`` as a user types it."""

import re
import subprocess
import sys

import pytest
import yaml

SPACE = "optimizer.params.lr: {low: 1e-4, high: 1e-2, log: true}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mag", "cms", "--space", "space.yaml"], "expected one recipe; found mag, cms"),
        (["a.b=c", "--space", "space.yaml"], "expected one recipe; found none"),
        (["mag", "--space", "nowhere.yaml"], "nowhere.yaml"),
        (["magg", "--space", "space.yaml"], "magg: there is no such file"),
        (["mag"], "Missing option.*--space"),
    ],
)
def test_what_cannot_be_right_is_told_with_status_2(cmsbert, words, message):
    with open("space.yaml", "w") as file:
        file.write(SPACE)
    ended = cmsbert("tune", *words)
    assert ended.exit_code == 2
    assert re.search(message, ended.output.replace("\n", " "))


@pytest.mark.slow
def test_on_the_demo_corpus_the_best_setting_reproduces_its_score(tmp_path):
    pytest.importorskip("optuna", reason="a search needs Optuna, which is optional")
    (tmp_path / "space.yaml").write_text(
        SPACE + "model_config.cmsbert.losses[1].params.weight: {low: 0.0, high: 1.0}\n"
    )

    def run(name, program, *words):
        program = f"import sys; sys.argv[0] = {name!r}; {program}"
        command = [sys.executable, "-c", program, *words]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    program = "from mmf_cmsbert.commands import main; main()"
    words = [
        "tune", "cms_clr", "--base", "projects/cmsbert/demo.yaml", "--space", "space.yaml",
        "dataset_config.mosi.synthetic.train=64", "dataset_config.mosi.synthetic.val=16",
        "dataset_config.mosi.synthetic.test=16", "training.max_updates=4",
        "training.evaluation_interval=2", f"dataset_config.mosi.data_dir={tmp_path / 'data'}",
    ]  # fmt: skip
    printed = run("cmsbert", program, *words, "--trials", "2")
    assert "test/" not in printed
    for log in (tmp_path / "save" / "tuning").glob("trials/*/runs/*/seed_1/output.log"):
        assert "test/mosi" not in log.read_text()
    best = tmp_path / "save" / "tuning" / "best.yaml"
    assert set(yaml.safe_load(best.read_text())["model_config"]["cmsbert"]) == {"losses"}
    (value,) = re.findall(r"sentiment_mae (\d\.\d{6})", best.read_text().splitlines()[0])
    program = "from mmf_cmsbert.cli import mmf_run; mmf_run()"
    printed = run("mmf_run", program, f"config={best}", "env.save_dir=again")
    assert f"best_val/mosi/sentiment_mae: {value}" in printed
