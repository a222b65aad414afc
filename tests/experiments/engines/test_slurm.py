import sys

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.engines import submission
from mmf_cmsbert.experiments.engines.engine import Resources, engine_named
from mmf_cmsbert.experiments.engines.slurm import SlurmQueue
from mmf_cmsbert.experiments.engines.submission import Submission


def test_the_queue_is_asked_once_for_many_runs_and_again_after_a_while():
    now, asked = [0.0], []

    def ask():
        asked.append(now[0])
        return "12_0\n12_1\n"

    queue = SlurmQueue(ask, lambda: now[0])
    assert queue.holds("12_0") and queue.holds("12_1") and not queue.holds("12_2")
    now[0] = 60.0
    queue.holds("12_0")
    assert asked == [0.0, 60.0]


def test_a_slurm_that_does_not_answer_has_not_lost_the_runs():
    assert SlurmQueue(lambda: None).holds("12_0")


def test_a_machine_without_slurm_says_where_the_command_belongs(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="no sbatch on this machine.*login node"):
        engine_named("slurm", Resources(), tmp_path)


def test_a_missing_library_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ConfigError, match=r"pip install 'mmf_cmsbert\[slurm\]'"):
        engine_named("slurm", Resources(), tmp_path)


def test_a_queued_run_is_found_again_by_its_folder(planned):
    (job,) = planned(["a"])
    assert submission.find(job) is None
    queued = Submission("slurm", "12_0", "/shared/slurm", job.words)
    queued.write(job)
    assert submission.find(job) == queued
    (job.folder / submission.NAME).write_text("{")
    assert submission.find(job) is None


def test_a_folder_whose_queued_run_has_other_words_is_refused(planned):
    (job,) = planned(["a"])
    queued = Submission("slurm", "12_0", "/shared/slurm", job.words)
    submission.check_words(queued, job.words, "scancel 12_0")
    with pytest.raises(ConfigError, match=r"other words \(optimizer.params.lr=1\).*scancel 12_0"):
        submission.check_words(queued, (*job.words, "optimizer.params.lr=1"), "scancel 12_0")
