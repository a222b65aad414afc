"""One run on two nodes of a real Slurm, with Lightning's trainer and with MMF's."""

import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from demo_runs import DEMO, LIGHTNING, SIZES, free_port, length, scores, without_dropout
from slurm_cluster import NODES, SlurmCluster, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or ""),
]

ON_BOTH = ["srun", "-N2", "--ntasks-per-node=1", "--kill-on-bad-exit"]
BY_LIGHTNING = [LIGHTNING, "training.lightning.num_nodes=2"]
# MMF's keys for Slurm; it takes the first node's address from Slurm.
BY_MMF = [
    "training.trainer=base_trainer", "distributed.world_size=2",
    f"distributed.port={free_port()}",
]  # fmt: skip
both = pytest.mark.parametrize("trainer", [BY_LIGHTNING, BY_MMF], ids=["lightning", "mmf"])


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("pytorch_lightning")
    with SlurmCluster(tmp_path / "slurm") as started:
        yield started


@pytest.fixture
def run(tmp_path, cluster):
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | cluster.environment

    def start(*words):
        return subprocess.Popen(
            words, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def succeed(process):
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said


@both
def test_two_nodes_score_as_one_process_without_dropout(tmp_path, run, trainer):
    """With dropout they do not: each process draws its own masks."""
    few = [*length(30, evaluation=10), *without_dropout(tmp_path)]
    succeed(run(*DEMO, trainer[0], *few, "env.save_dir=one"))
    succeed(run(*ON_BOTH, *DEMO, *trainer, *few, "env.save_dir=two"))
    assert scores(tmp_path / "two") == pytest.approx(scores(tmp_path / "one"), abs=1e-5)


@both
def test_a_lost_node_ends_the_run_which_then_resumes_exactly(tmp_path, cluster, run, trainer):
    long = [*trainer, *length(120, evaluation=40)]
    succeed(run(*ON_BOTH, *DEMO, *long, "env.save_dir=whole"))
    lost = run(*ON_BOTH, *DEMO, *long, "env.save_dir=lost", "checkpoint.resume=true")
    end = time.monotonic() + 120
    while not (tmp_path / "lost" / "current.ckpt").is_file():
        assert time.monotonic() < end and lost.poll() is None
        time.sleep(0.1)
    begun = time.monotonic()
    cluster.lose_node(NODES[1])
    said, _ = lost.communicate(timeout=120)
    assert lost.returncode != 0 and time.monotonic() - begun < 90, said
    cluster.start_node(NODES[1])
    cluster.wait_until_idle()
    succeed(run(*ON_BOTH, *DEMO, *long, "env.save_dir=lost", "checkpoint.resume=true"))
    assert scores(tmp_path / "lost") == scores(tmp_path / "whole")


def test_the_documented_job_goes_past_its_time_limit_and_a_lost_node(tmp_path, cluster, run):
    """The time limit signals it, a node is lost; each time it is queued again and resumes."""
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
    (script,) = re.findall(r"```bash\n(#!/bin/bash\n#SBATCH.*?)```", page, re.DOTALL)
    (tmp_path / "train.sbatch").write_text(script)
    program = tmp_path / "mmf_run"
    program.write_text(f'#!/bin/bash\nexec {shlex.join(DEMO[:3])} "$@"\n')
    program.chmod(0o755)
    words = [*SIZES, *length(160, evaluation=40)]
    succeed(run(*ON_BOTH, *DEMO, *words, *BY_LIGHTNING, "env.save_dir=whole"))
    succeed(
        run("env", f"PATH={tmp_path}:{cluster.environment['PATH']}", "sbatch", "--cpus-per-task=1",
            "--time=60", "--output=job.out", "train.sbatch", *words, "env.save_dir=job")
    )  # fmt: skip
    job = cluster.typed("squeue", "-h", "-o", "%i").strip()

    def resumed(times):
        return (tmp_path / "job.out").read_text().count("Resuming from") >= times

    wait_for((tmp_path / "job" / "current.ckpt").is_file)
    cluster.let_time_run_out(job)
    wait_for(lambda: resumed(1))
    cluster.lose_node(NODES[1])
    wait_for(lambda: cluster.restarts(job) == 2)
    cluster.start_node(NODES[1])
    wait_for(lambda: "JobState=COMPLETED" in cluster.typed("scontrol", "show", "job", job))
    assert "SIGUSR1 received" in (tmp_path / "job.out").read_text() and resumed(2)
    assert scores(tmp_path / "job") == scores(tmp_path / "whole")


def wait_for(done, seconds=300.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(1)
