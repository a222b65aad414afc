"""Ablations on two nodes of a real Slurm; their scores equal those of ``--engine local``."""

import os
import signal
import subprocess
import sys
import time

import pytest
from slurm_cluster import NODES, SlurmCluster, missing

from mmf_cmsbert.records import record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or ""),
]

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


def words(output, *more, recipes=("cms_clr", "mag"), seeds=4, updates=60):
    return [
        sys.executable, "-c", "from mmf_cmsbert.commands import main; main()", "ablate", *recipes,
        "--seeds", str(seeds), "--base", "projects/cmsbert/demo.yaml",
        f"training.max_updates={updates}", "training.evaluation_interval=20",
        "training.checkpoint_interval=20", "dataset_config.mosi.synthetic.train=96",
        "dataset_config.mosi.synthetic.val=32", "dataset_config.mosi.synthetic.test=32",
        "env.data_dir=data", "--output", output, *more,
    ]  # fmt: skip


def on_slurm(*more, **sizes):
    return words("there", "--engine", "slurm", *more, **sizes)


def scores(folder):
    runs = {str(f.parent.relative_to(folder)): f for f in folder.glob("runs/**/run.json")}
    return {name: (record.read(f)["status"], record.read(f)["test"]) for name, f in runs.items()}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The scores of eight runs on this machine."""
    folder = tmp_path_factory.mktemp("here")
    subprocess.run(words("out", "--jobs", "2"), cwd=folder, check=True, env=ONE_THREAD)
    return scores(folder / "out")


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("submitit")
    with SlurmCluster(tmp_path / "slurm") as started:
        yield started


@pytest.fixture
def launch(tmp_path, cluster):
    """Start a command beside Slurm."""

    def start(command):
        return subprocess.Popen(
            command, cwd=tmp_path, env=ONE_THREAD | cluster.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def test_eight_runs_score_as_on_this_machine(tmp_path, launch, here):
    command = launch(on_slurm("--jobs", "2"))
    said, _ = command.communicate(timeout=600)
    assert command.returncode == 0, said
    assert len(here) == 8 and scores(tmp_path / "there") == here
    hosts = {record.read(f)["machine"]["host"] for f in tmp_path.glob("there/**/run.json")}
    assert hosts == set(NODES)


def test_an_interruption_a_lost_node_and_a_cancelled_run_lose_nothing(
    tmp_path, cluster, launch, here
):
    launcher = launch(on_slurm("--jobs", "2"))
    wait_for(lambda: with_checkpoint(tmp_path))
    launcher.send_signal(signal.SIGINT)
    said, _ = launcher.communicate(timeout=60)
    assert "scancel" in said and launcher.returncode == 130, said
    queued = cluster.typed("squeue", "-h", "-r", "-o", "%i").split()
    assert len(queued) >= 6, "the runs go on without the launcher"
    # Another launcher finds them.
    launcher = launch(on_slurm("--jobs", "2"))
    while "mag demo seed 4: queued" not in (line := launcher.stdout.readline()):
        assert line, "it ended"
    lost = wait_for(lambda: with_checkpoint(tmp_path))[0]
    node = record.read(lost)["machine"]["host"]
    cluster.lose_node(node)
    last = max(queued, key=lambda id: int(id.split("_")[1]))
    cluster.typed("scancel", last)
    time.sleep(15)  # Slurm notices
    cluster.start_node(node)
    said, _ = launcher.communicate(timeout=600)
    assert launcher.returncode == 1 and "1 of 8 runs failed" in said, said
    assert f"job {last} left Slurm's queue" in said
    again = launch(on_slurm("--jobs", "2"))
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0 and "7 of 8 runs are already done" in said, said
    assert "Resuming from" in (lost.parent / "output.log").read_text()
    assert scores(tmp_path / "there") == here


def test_a_run_longer_than_its_time_limit_is_queued_again_and_resumed(tmp_path, cluster, launch):
    one = {"recipes": ("mag",), "seeds": 1, "updates": 160}
    command = launch(on_slurm("--minutes", "9", **one))
    wait_for(lambda: with_checkpoint(tmp_path))
    cluster.let_time_run_out(cluster.typed("squeue", "-h", "-r", "-o", "%i").strip())
    said, _ = command.communicate(timeout=300)
    assert command.returncode == 0, said
    logs = "".join(file.read_text() for file in tmp_path.glob("there/slurm/*.err"))
    assert "this job is timed-out" in logs
    assert "Resuming from" in next(tmp_path.glob("there/runs/**/output.log")).read_text()
    subprocess.run(words("here", **one), cwd=tmp_path, check=True, env=ONE_THREAD)
    assert scores(tmp_path / "there") == scores(tmp_path / "here")


def with_checkpoint(folder):
    """The records of runs that are running and have saved a checkpoint."""
    return [
        file
        for file in folder.glob("there/runs/**/run.json")
        if (file.parent / "current.ckpt").is_file() and record.read(file)["status"] == "running"
    ]


def wait_for(find, seconds=180.0):
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found
