"""Communicating processes of a test (gloo, CPU)."""

import multiprocessing
import os
import signal
import socket
import traceback

import pytest
import torch
from omegaconf import OmegaConf


def together(job, count=2, answers=None):
    """Run ``job(rank)`` in several processes; return their results, or fail the test.

    They are forked, so that nothing is imported again. The environment contains rank 0's
    address, as ``torch.distributed`` and Lightning read it.

    Args:
        job: the function to run.
        count: number of processes.
        answers: number of processes that return a result, if others end without one.
    """
    port = _free_port()
    context = multiprocessing.get_context("fork")
    results = context.Queue()

    def main(rank):
        _prepare(rank, port)
        try:
            results.put((rank, job(rank), None))
        except BaseException:
            results.put((rank, None, traceback.format_exc()))

    processes = [context.Process(target=main, args=(rank,)) for rank in range(count)]
    for process in processes:
        process.start()
    try:
        ended = [results.get(timeout=120) for _ in range(answers or count)]
    finally:
        for process in processes:
            process.join(10)
            process.kill()
    for rank, _, error in ended:
        assert error is None, f"process {rank}: {error}"
    return [result for _, result, _ in sorted(ended, key=lambda each: each[0])]


def killed(job, count=1):
    """Run ``job(rank)`` in several processes, of which the first kills itself (SIGKILL)."""
    port = _free_port()

    def main(rank):
        _prepare(rank, port)
        job(rank)

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=main, args=(rank,)) for rank in range(count)]
    for process in processes:
        process.start()
    processes[0].join(120)
    for process in processes:
        process.kill()
        process.join()
    assert processes[0].exitcode == -signal.SIGKILL, processes[0].exitcode


def _free_port():
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return server.getsockname()[1]
    except OSError as error:
        pytest.skip(f"processes cannot talk to each other here: {error}")


def _prepare(rank, port):
    """Set up a forked process as one of several."""
    os.environ.update(
        LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), NODE_RANK="0"
    )
    torch.set_num_threads(1)  # the parent's threads do not exist in it


def start_as_mmf_does(rank, count):
    """Join the processes as MMF does for its trainers, with torchrun's environment."""
    from mmf.utils import distributed

    method = {"init_method": "env://", "world_size": count, "rank": rank}
    config = {"training": {"device": "cuda"}, "distributed": method}
    distributed.distributed_init(OmegaConf.create(config))
