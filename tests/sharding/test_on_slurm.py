"""Shards on a real Slurm of two nodes."""

import os
import signal
import subprocess

import pytest
from shard_commands import outputs, predict, run, wait_for, write_shards
from slurm_cluster import SlurmCluster, missing


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=missing() or "")
def test_nothing_is_lost_by_an_interruption_a_lost_node_and_a_cancelled_job(tmp_path):
    pytest.importorskip("submitit")
    write_shards(tmp_path, shards=8, rows=3000)
    results = tmp_path / "there" / "_shards" / "results"
    with SlurmCluster(tmp_path / "slurm") as cluster:
        environment = os.environ | {"OMP_NUM_THREADS": "1"} | cluster.environment
        command = predict("there", "--engine", "slurm", "--jobs", "2")

        def start():
            return subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
            )

        launcher = start()
        wait_for(lambda: list(results.glob("*.json")))
        launcher.send_signal(signal.SIGINT)
        said, _ = launcher.communicate(timeout=60)
        assert launcher.returncode == 130 and "Stopped; " in said and "scancel" in said
        queued = [
            line.split() for line in cluster.typed("squeue", "-h", "-r", "-o", "%i %N").splitlines()
        ]
        assert len(queued) == 2, "the jobs continue without the launcher"
        # Another launcher finds them, loses a node, and one of its jobs is cancelled.
        launcher = start()
        while ": queued" not in launcher.stdout.readline():
            pass
        (_, node), (cancelled, _) = queued
        cluster.lose_node(node)
        cluster.typed("scancel", cancelled)
        wait_for(lambda: cluster.typed("squeue", "-h", "-r", "-o", "%T").split() != ["RUNNING"])
        cluster.start_node(node)
        said, _ = launcher.communicate(timeout=600)
        print(said)
        assert launcher.returncode == 1, said
        assert "job 1 (00.parquet to 03.parquet): 4 shards, 12,000 rows" in said
        assert "job 2 (04.parquet to 07.parquet): FAILED" in said and "07.jsonl: " in said
        again = run(command, tmp_path, environment)
        print(again.stdout)
        assert again.returncode == 0 and "shards are already done" in again.stdout
        assert "8 shards, 24,000 rows in, 24,000 predictions out" in again.stdout
    here = run(predict("here"), tmp_path, os.environ | {"OMP_NUM_THREADS": "1"})
    assert here.returncode == 0, here.stderr
    assert outputs(tmp_path / "here") == outputs(tmp_path / "there")
