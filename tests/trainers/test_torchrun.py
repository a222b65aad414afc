"""Runs of two processes that torchrun starts, on one node and on two, with both trainers.

MMF's trainer takes MMF's way: ``infer_init_method`` reads torchrun's environment, and
``distributed_main`` joins the processes; on a CPU they use gloo instead of NCCL.
"""

import os
import subprocess
import sys
import time

import process_trees
import pytest
from demo_runs import DEMO, LIGHTNING, free_port, length, scores, without_dropout

pytestmark = pytest.mark.slow

OWN = "training.trainer=base_trainer"
both = pytest.mark.parametrize("trainer", [OWN, LIGHTNING])
FEW = length(30, evaluation=10)


@pytest.fixture
def start(tmp_path):
    """Start commands in the test's folder; what still runs at its end is killed."""
    started = []

    def command(*words):
        process = subprocess.Popen(
            words, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        started.append(process)
        return process

    yield command
    process_trees.kill([each.pid for each in started if each.poll() is None])


def torchrun(*words):
    return [sys.executable, "-m", "torch.distributed.run", *words, "--no-python", *DEMO]


def two_nodes(port):
    """The command of each of two nodes with one process; they meet at ``port``."""
    return torchrun(
        "--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", "--local-addr=127.0.0.1",
        f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-id=demo",
    )  # fmt: skip


def outputs(processes, status=0):
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [status] * len(said), "\n".join(said)
    return said


@both
def test_two_processes_score_as_one_without_dropout(tmp_path, start, trainer):
    """With dropout they do not: each process draws its own masks."""
    words = [trainer, *FEW, *without_dropout(tmp_path)]
    outputs([start(*DEMO, *words, "env.save_dir=one")])
    one_node = torchrun("--nproc-per-node=2", f"--master-port={free_port()}")
    outputs([start(*one_node, *words, "training.lightning.devices=2", "env.save_dir=two")])
    on_nodes = [*two_nodes(free_port()), *words, "training.lightning.num_nodes=2"]
    outputs([start(*on_nodes, "env.save_dir=nodes") for _ in range(2)])
    assert scores(tmp_path / "two") == pytest.approx(scores(tmp_path / "one"), abs=1e-5)
    assert scores(tmp_path / "nodes") == scores(tmp_path / "two")


@both
def test_a_killed_process_ends_the_run_which_then_resumes_exactly(tmp_path, start, trainer):
    words = [trainer, *length(80, evaluation=40), "training.lightning.num_nodes=2"]

    def on_both_nodes(folder):
        port, more = free_port(), (f"env.save_dir={folder}", "checkpoint.resume=true")
        return [start(*two_nodes(port), *words, *more) for _ in range(2)]

    outputs(on_both_nodes("whole"))
    lost = on_both_nodes("lost")
    end = time.monotonic() + 120
    while not (tmp_path / "lost" / "current.ckpt").is_file():
        assert time.monotonic() < end and lost[0].poll() is None
        time.sleep(0.1)
    begun = time.monotonic()
    process_trees.kill(process_trees.descendants(lost[1].pid)[:1])
    said = "".join(outputs(lost, status=1))
    assert time.monotonic() - begun < 60
    assert said.count("add checkpoint.resume=true to the command") == 1, said
    outputs(on_both_nodes("lost"))
    assert scores(tmp_path / "lost") == scores(tmp_path / "whole")
