"""Shards on a real Ray cluster of two nodes."""

import os
import signal
import subprocess

import pytest
from ray_cluster import RayCluster
from shard_commands import outputs, predict, run, wait_for, write_shards


@pytest.mark.slow
def test_an_interrupted_prediction_continues_to_the_same_files(tmp_path):
    pytest.importorskip("ray.job_submission")
    write_shards(tmp_path, shards=8, rows=3000)
    with RayCluster(tmp_path) as cluster:
        command = predict("there", "--engine", "ray", "--address", cluster.address, "--jobs", "2")
        launcher = subprocess.Popen(
            command, cwd=tmp_path, env=cluster.environment, stdout=subprocess.PIPE, text=True
        )
        wait_for(lambda: list(tmp_path.glob("there/_shards/results/*.json")))
        launcher.send_signal(signal.SIGINT)
        said, _ = launcher.communicate(timeout=60)
        assert launcher.returncode == 130 and "ray job stop" in said
        again = run(command, tmp_path, cluster.environment)
        print(said, again.stdout, again.stderr)
        assert again.returncode == 0 and "8 shards, 24,000 rows in" in again.stdout
    here = run(predict("here"), tmp_path, os.environ | {"OMP_NUM_THREADS": "1"})
    assert here.returncode == 0, here.stderr
    assert outputs(tmp_path / "here") == outputs(tmp_path / "there")
