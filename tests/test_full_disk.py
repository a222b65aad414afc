"""What commands leave where a file cannot grow (``ulimit -f``), as on a full disk: whole runs.

The commands that need no run: ``tests/commands/test_file_limit.py``.
"""

import json
import re

import pytest

from mmf_cmsbert.checkpoints import file as checkpoint_file

FULL = (
    r"cannot be written: it would exceed the limit on file sizes; raise it \(ulimit -f unlimited\)"
)
RECIPE = [
    "config=projects/cmsbert/demo.yaml",
    "dataset_config.mosi.synthetic.train=16",
    "dataset_config.mosi.synthetic.val=8",
    "dataset_config.mosi.synthetic.test=120",  # so that predictions are the largest file
    "training.max_updates=2",
    "training.evaluation_interval=2",
    "training.batch_size=8",
    "training.report=false",
    "env.save_dir=run",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory, typed_commands):
    """A working folder with a finished run."""
    folder = tmp_path_factory.mktemp("home")
    data = f"dataset_config.mosi.data_dir={folder / 'data'}"
    done = typed_commands.run("mmf_run", [*RECIPE, data], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def limited(typed_commands, home):
    """Type a command where no file can grow beyond a size; its one error."""

    def typed(size, command, *words):
        done = typed_commands.run(command, words, home, most_bytes=size)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        (error,) = re.findall(rf"^{command}.*: error: (.*)$", done.stderr, re.MULTILINE)
        return error

    return typed


def contents(folder):
    """The files but logs and locks."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {f: f.read_bytes() for f in files if f.suffix != ".log" and f.name != ".lock"}


@pytest.mark.parametrize(
    "trainer", ["base_trainer", pytest.param("lightning_cmsbert", marks=pytest.mark.slow)]
)
def test_a_resumed_run_keeps_its_checkpoints(home, limited, typed_commands, trainer):
    run = home / "run"
    before = contents(run)
    words = ["env.save_dir=run", "checkpoint.resume=true", "training.max_updates=4"]
    words.append(f"training.trainer={trainer}")
    size = (run / "current.ckpt").stat().st_size
    assert re.fullmatch(rf".*run/current\.ckpt {FULL}", limited(size - 1000, "mmf_run", *words))
    after = contents(run)
    assert set(after) == set(before)
    changed = {file.name for file in before if after[file] != before[file]}
    assert changed == {"run.json", "config.yaml"}
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "failed" and "current.ckpt cannot be written" in record["error"]
    for name in ("current.ckpt", "best.ckpt"):
        assert checkpoint_file.read(run / name)["num_updates"] == 2
    # The space is there again.
    for file, content in before.items():
        file.write_bytes(content)


@pytest.mark.parametrize("kind", ["json", pytest.param("csv", marks=pytest.mark.slow)])
def test_predictions_of_mmf_are_complete_or_absent(home, limited, kind):
    before = contents(home)
    words = ["env.save_dir=run", f"evaluation.predict_file_format={kind}"]
    error = limited(7000, "mmf_predict", *words)
    assert re.fullmatch(rf".*/reports/\S+\.{kind} {FULL}", error), error
    assert contents(home) == before


def test_an_export_is_complete_or_absent(home, limited):
    before = contents(home)
    assert re.fullmatch(rf".*/new {FULL}", limited(300_000, "cmsbert", "export", "run", "new"))
    assert contents(home) == before and not (home / "new").exists()


@pytest.mark.slow
@pytest.mark.parametrize("size", [20_000, 1_000_000])
def test_an_ablation_names_the_file_of_a_run(home, typed_commands, tmp_path, size):
    """The log of the run cannot grow either where the limit is low."""
    data = f"dataset_config.mosi.data_dir={home / 'data'}"
    words = ["ablate", "mag", "--seeds", "1", "--base", "projects/cmsbert/demo.yaml"]
    words += ["--output", "out", *RECIPE[1:-1], data]
    done = typed_commands.run("cmsbert", words, tmp_path, most_bytes=size)
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert re.search(rf"mag demo seed 1: FAILED .*/\S+ {FULL}", done.stdout), done.stdout
    done = typed_commands.run("cmsbert", words, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
