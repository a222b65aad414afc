"""Ablations on two nodes of a real Ray cluster; their scores equal those of ``--engine local``."""

import os
import subprocess
import sys
import time

import pytest
from ray_cluster import RayCluster

from mmf_cmsbert.records import record

pytestmark = pytest.mark.slow


def words(output, *more):
    return [
        sys.executable, "-c", "from mmf_cmsbert.commands import main; main()", "ablate", "cms_clr",
        "mag", "--seeds", "2", "--base", "projects/cmsbert/demo.yaml", "training.max_updates=60",
        "training.evaluation_interval=20", "training.checkpoint_interval=20",
        "dataset_config.mosi.synthetic.train=96", "dataset_config.mosi.synthetic.val=32",
        "dataset_config.mosi.synthetic.test=32", "env.data_dir=data", "--output", output,
        "--jobs", "2", *more,
    ]  # fmt: skip


def scores(folder):
    runs = {str(f.parent.relative_to(folder)): f for f in folder.glob("runs/**/run.json")}
    return {name: (record.read(f)["status"], record.read(f)["test"]) for name, f in runs.items()}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The scores of four runs on this machine."""
    folder = tmp_path_factory.mktemp("here")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(words("out"), cwd=folder, check=True, env=environment)
    return scores(folder / "out")


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("ray.job_submission")
    with RayCluster(tmp_path) as started:
        yield started


@pytest.mark.parametrize("lost", ["nothing", "node", "cluster"])
def test_runs_score_as_on_this_machine_whatever_is_lost(tmp_path, cluster, here, lost):
    command = subprocess.Popen(
        words("out", "--engine", "ray", "--address", cluster.address), cwd=tmp_path,
        env=cluster.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if lost != "nothing":
        interrupted = wait_for_two_checkpoints(tmp_path)
        cluster.lose_node() if lost == "node" else cluster.lose()
        cluster.start_node() if lost == "node" else cluster.start()
    said, _ = command.communicate(timeout=600)
    assert command.returncode == 0, said
    assert len(here) == 4 and scores(tmp_path / "out") == here
    if lost != "nothing":
        logs = [(file.parent / "output.log").read_text() for file in interrupted]
        assert sum("Resuming from" in log for log in logs) == (1 if lost == "node" else 2)


def wait_for_two_checkpoints(folder, seconds=180.0):
    end = time.monotonic() + seconds
    while True:
        found = [
            file
            for file in folder.glob("out/runs/**/run.json")
            if (file.parent / "current.ckpt").is_file() and record.read(file)["status"] == "running"
        ]
        if len(found) == 2:
            return found
        assert time.monotonic() < end
        time.sleep(0.1)
