import time

import pytest

from mmf_cmsbert.experiments import process
from mmf_cmsbert.experiments.process import JobProcess


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a process that runs Python code instead of mmf_run."""

    def make(program, words=(), threads=1, gpu=None):
        monkeypatch.setattr(process, "program", lambda entry: program)
        return JobProcess(words, tmp_path / "run" / "output.log", threads, gpu)

    return make


def ended(run):
    while run.poll() is None:
        time.sleep(0.01)
    return run.poll()


def test_words_threads_and_gpu_reach_it_and_its_output_the_log(start):
    run = start(
        "import os, sys; e = os.environ; print(sys.argv[1:], e['OMP_NUM_THREADS'],"
        "e['CUDA_VISIBLE_DEVICES']); print('err', file=sys.stderr)",
        ["a=1", "b=[x, y]"],
        threads=3,
        gpu="5",
    )
    assert ended(run) == 0
    text = run.log.read_text()
    assert "['a=1', 'b=[x, y]'] 3 5" in text and "err" in text


def test_progress_is_the_last_that_it_said(start):
    run = start("print('progress: 30/600, x'); print('... progress: 60/600, val')")
    assert ended(run) == 0
    assert run.progress() == (60, 600)


def test_without_progress_there_is_none(start):
    run = start("pass")
    assert ended(run) == 0 and run.progress() is None


def test_stopped_it_is_gone_even_if_it_does_not_want_to_go(start, monkeypatch):
    monkeypatch.setattr(process, "_PATIENCE", 0.2)
    run = start(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('progress: 1/2', flush=True); time.sleep(60)"
    )
    while run.progress() is None:
        time.sleep(0.01)
    run.stop()
    assert run.poll() == -9
