"""A wheel works outside the checkout; it contains configurations, recipes and lists of videos."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = (".git", ".venv", "build", "dist", "save", "site", "tests", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package installed from a wheel, and its commands in bin/."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = shutil.copytree(
        ROOT, folder / "sources", symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT)
    )
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels, target = folder / "wheels", folder / "installed"
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", wheels, sources]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--target", target, wheel], check=True
    )
    shutil.rmtree(sources)
    return target


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["cmsbert", "--help"], "install-mmf"),
        (["mmf_run", "--help"], "config=projects/cmsbert/mosi.yaml"),
        (
            ["mmf_run", "config=projects/cmsbert/demo.yaml", "training.max_updates=1"]
            + ["training.evaluation_interval=1", "dataset_config.mosi.synthetic.train=32"],
            "test/mosi/sentiment_mae",
        ),
    ],
)
def test_an_installed_command_runs_outside_the_checkout(installed, tmp_path, command, shown):
    environment = {**os.environ, "PYTHONPATH": str(installed), "MMF_DATA_DIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, installed / "bin" / command[0], *command[1:]],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert shown in result.stdout + result.stderr
    assert "Traceback" not in result.stderr and "was not written" not in result.stdout


@pytest.mark.slow
def test_the_wheel_states_that_it_has_types(installed):
    assert (installed / "mmf_cmsbert" / "py.typed").is_file()
