import os
import signal
import subprocess
import sys
import time

import pytest
from slurm_cluster import SlurmCluster, missing

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.engines import submission
from mmf_cmsbert.experiments.engines.engine import Resources, engine_named
from mmf_cmsbert.experiments.engines.slurm import SlurmQueue
from mmf_cmsbert.experiments.engines.submission import Submission
from mmf_cmsbert.records import record


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


SIZES = [
    "training.evaluation_interval=20",
    "training.checkpoint_interval=20",
    "dataset_config.mosi.synthetic.train=96",
    "dataset_config.mosi.synthetic.val=32",
    "dataset_config.mosi.synthetic.test=32",
    "env.data_dir=data",
]


def words(output, *more):
    return [
        sys.executable, "-c", "from mmf_cmsbert.commands import main; main()", "ablate", "cms_clr",
        "mag", "--seeds", "4", "--base", "projects/cmsbert/demo.yaml", *SIZES,
        "--output", output, *more,
    ]  # fmt: skip


def scores(folder):
    runs = {str(f.parent.relative_to(folder)): f for f in folder.glob("runs/**/run.json")}
    return {name: (record.read(f)["status"], record.read(f)["test"]) for name, f in runs.items()}


needs_slurm = pytest.mark.skipif(bool(missing()), reason=missing() or "")


@pytest.mark.slow
@needs_slurm
def test_eight_runs_on_slurm_score_as_on_this_machine(tmp_path):
    pytest.importorskip("submitit")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    few = "training.max_updates=40"
    with SlurmCluster(tmp_path / "slurm") as cluster:
        for output, more in {"here": ["--jobs", "2"], "there": ["--engine", "slurm"]}.items():
            subprocess.run(
                [*words(output, few, *more)], cwd=tmp_path, check=True,
                env=environment | cluster.environment,
            )  # fmt: skip
    here, there = scores(tmp_path / "here"), scores(tmp_path / "there")
    assert len(here) == 8 and here == there
    hosts = {record.read(f)["machine"]["host"] for f in tmp_path.glob("there/**/run.json")}
    assert hosts <= {"cms1", "cms2"}


@pytest.mark.slow
@needs_slurm
def test_nothing_is_lost_by_an_interruption_a_lost_node_and_a_cancelled_run(tmp_path):
    pytest.importorskip("submitit")
    long = "training.max_updates=200"
    with SlurmCluster(tmp_path / "slurm") as cluster:
        environment = os.environ | {"OMP_NUM_THREADS": "1"} | cluster.environment
        command = words("out", long, "--engine", "slurm", "--jobs", "2")
        launcher = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )
        saved = wait_for(lambda: list(tmp_path.glob("out/runs/**/current.ckpt")))[0]
        launcher.send_signal(signal.SIGINT)
        said, _ = launcher.communicate(timeout=60)
        assert "scancel" in said and launcher.returncode == 130
        queued = cluster.typed("squeue", "-h", "-r", "-o", "%i %N").splitlines()
        assert len(queued) >= 6, "the runs go on without the launcher"
        # Another launcher finds them.
        launcher = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )
        while "mag demo seed 4: queued" not in launcher.stdout.readline():
            pass
        node = record.read(saved.parent)["machine"]["host"]
        cluster.lose_node(node)
        last = max((line.split()[0] for line in queued), key=lambda i: int(i.split("_")[1]))
        cluster.typed("scancel", last)
        time.sleep(15)
        cluster.start_node(node)
        said, _ = launcher.communicate(timeout=900)
        assert launcher.returncode == 1 and "1 of 8 runs failed" in said
        assert f"job {last} left Slurm's queue" in said
        resumed = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert resumed.returncode == 0 and "7 of 8 runs are already done" in resumed.stdout
    subprocess.run(words("here", long, "--jobs", "2"), cwd=tmp_path, check=True, env=environment)
    assert scores(tmp_path / "here") == scores(tmp_path / "out")


def wait_for(find, seconds=180.0):
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end
        time.sleep(0.5)
    return found
