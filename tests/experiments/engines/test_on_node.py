import os
import pickle

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.engines import on_node
from mmf_cmsbert.experiments.engines.on_node import RunOnNode

pytest.importorskip("submitit")


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Start a run, with a checkpoint or without; return it as submitit queues it again."""
    log = tmp_path / "output.log"
    times = iter(range(1, 100))

    class Run:
        saves = False

        def __init__(self, *given, **named):
            pass

        def poll(self):
            return 0

        def stop(self):
            if self.saves:
                (tmp_path / "current.ckpt").touch()
                os.utime(tmp_path / "current.ckpt", (0, next(times)))

    monkeypatch.setattr(on_node, "JobProcess", Run)

    def start(run=None, saves=True):
        run = run or RunOnNode("module:run", ["a=1"], log, 1)
        Run.saves = saves
        assert run() == 0
        return pickle.loads(pickle.dumps(run.checkpoint().function))

    return start


def test_a_run_that_makes_progress_is_queued_again_each_time(started):
    run = None
    for _ in range(10):
        run = started(run)


def test_a_run_that_never_gets_to_a_checkpoint_in_its_time_is_given_up(started):
    run = started(started(started(saves=True), saves=False), saves=False)
    with pytest.raises(ConfigError, match="3 times in a row .* --minutes"):
        started(run, saves=False)
