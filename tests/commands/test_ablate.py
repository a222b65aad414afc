"""``cmsbert ablate`` as a user types it; only slow tests start runs."""

import json
import re
import subprocess
import sys

import pytest


def test_recipes_by_name_over_a_base_with_options(cmsbert, runs, tmp_path):
    ended = cmsbert(
        "ablate", "cms_clr", "mag", "--seeds", 2, "--base", "projects/cmsbert/demo.yaml",
        "--output", tmp_path / "out", "training.max_updates=5",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.output
    assert len(runs) == 4 and all("training.max_updates=5" in words for words in runs)
    assert "cms_clr     2  1.500 ± 0.707" in ended.output
    config = next(w for w in runs[1] if w.startswith("config=")).removeprefix("config=")
    assert config == str(tmp_path / "out" / "recipes" / "demo" / "mag.yaml")
    again = cmsbert(
        "ablate", "cms_clr", "mag", "--seeds", 2, "--base", "projects/cmsbert/demo.yaml",
        "--output", tmp_path / "out", "training.max_updates=5",
    )  # fmt: skip
    assert again.exit_code == 0 and len(runs) == 4
    assert "4 of 4 runs are already done" in again.output


def test_recipes_can_be_chosen_by_validation_with_test_left_alone(cmsbert, runs, tmp_path):
    words = ("ablate", "cms_clr", "mag", "--seeds", 1, "--output", tmp_path / "out")
    ended = cmsbert(*words, "--validation")
    assert ended.exit_code == 0
    assert all("run_type=train_val" in words for words in runs) and len(runs) == 2
    assert "0.500" in ended.output and "test not scored" in ended.output


def test_a_failed_run_ends_the_command_with_its_log_and_a_status(cmsbert, runs, tmp_path):
    (tmp_path / "broken.yaml").write_text("model: cmsbert\n")
    ended = cmsbert("ablate", "cms_clr", tmp_path / "broken.yaml", "--seeds", 1)
    assert ended.exit_code == 1
    assert "1 of 2 runs failed" in ended.output and "it is broken" in ended.output
    assert "save/ablations/runs/broken/seed_1/output.log" in ended.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no recipe; type for example"),
        (["magg"], "magg: there is no such file.*Shipped: .*mag_bert"),
        (["mag", "training.seed=3"], "training.seed cannot be set here: type --seeds"),
        (["mag", "--base", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
        (["mag", "mag"], "have the same name"),
        (["mag", "--check", "run.json"], "remove mag"),
        (["--check", "nowhere.json"], "nowhere.json: No such file"),
    ],
)
def test_what_cannot_be_right_is_one_line_and_status_2(cmsbert, runs, words, message):
    ended = cmsbert("ablate", *words)
    assert ended.exit_code == 2 and not runs
    assert "Traceback" not in ended.output
    assert re.search(message, ended.output.replace("\n", " "))


SMALL = [
    "dataset_config.mosi.synthetic.train=64", "dataset_config.mosi.synthetic.val=16",
    "dataset_config.mosi.synthetic.test=16", "training.max_updates=4",
    "training.evaluation_interval=2",
]  # fmt: skip


@pytest.mark.slow
def test_on_the_demo_corpus_runs_are_compared_skipped_and_reproduced(tmp_path):
    program = "import sys; sys.argv[0] = 'cmsbert'; from mmf_cmsbert.commands import main; main()"

    def typed(*words):
        command = [sys.executable, "-c", program, "ablate", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    words = ["cms_clr", "text_only", "--seeds", "2", "--base", "projects/cmsbert/demo.yaml"]
    data = [*SMALL, f"dataset_config.mosi.data_dir={tmp_path / 'data'}"]
    ended = typed(*words, *data)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (tmp_path / "save" / "ablations" / "results.csv").read_text().count("\n") == 5
    again = typed(*words, *data)
    assert "4 of 4 runs are already done" in again.stdout
    folder = tmp_path / "save" / "ablations" / "runs" / "text_only" / "demo" / "seed_2"
    record = json.loads((folder / "run.json").read_text())
    assert record["seed"] == 2 and set(record["data"]["mosi"]) == {"train", "val", "test"}
    assert not list(folder.glob("*.ckpt"))
    checked = typed("--check", str(folder / "run.json"))
    assert checked.returncode == 0 and "Reproduced" in checked.stdout, checked.stdout
    record["test"]["mosi/sentiment_mae"] += 1e-3
    (folder / "run.json").write_text(json.dumps(record))
    assert typed("--check", str(folder / "run.json")).returncode == 1
