import os
import secrets
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.engines.engine import Resources, engine_named
from mmf_cmsbert.experiments.engines.ray import RayRun
from mmf_cmsbert.records import record


class Status(str):
    def is_terminal(self):
        return self in ("SUCCEEDED", "FAILED", "STOPPED")


class Cluster:
    """What Ray says, look by look: ``(status, exit code, message)``, or None without an answer."""

    def __init__(self, *states):
        self.states, self.submitted = list(states), []

    def state(self, id):
        said = self.states.pop(0)
        if said is None:
            return None
        status, code, message = said
        return SimpleNamespace(status=Status(status), driver_exit_code=code, message=message)

    def submit(self, job):
        self.submitted.append(job)
        return f"again-{len(self.submitted)}"


RUNNING, LOST = ("RUNNING", None, ""), ("FAILED", None, "the supervisor actor died")


def test_a_run_waits_until_ray_has_ended_it(planned):
    cluster = Cluster(("PENDING", None, ""), None, RUNNING, ("SUCCEEDED", 0, ""))
    run = RayRun(cluster, planned(["a"])[0], "first")
    assert [run.poll() for _ in range(4)] == [None, None, None, 0]


def test_a_run_whose_node_is_lost_is_submitted_again(planned):
    cluster = Cluster(RUNNING, LOST, RUNNING, ("SUCCEEDED", 0, ""))
    (job,) = planned(["a"])
    run = RayRun(cluster, job, "first")
    assert [run.poll() for _ in range(4)] == [None, None, None, 0]
    assert cluster.submitted == [job] and run.id == "again-1"


def test_a_cluster_that_loses_every_node_ends_the_run_with_its_reason(planned):
    run = RayRun(Cluster(*[LOST] * 11), planned(["a"])[0], "first")
    assert [run.poll() for _ in range(11)] == [None] * 10 + [1]
    assert run.error(1, None) == "Ray ended again-10 (FAILED): the supervisor actor died"


def test_a_run_that_fails_is_not_repeated_and_its_own_message_is_kept(planned):
    (job,) = planned(["a"])
    job.folder.mkdir(parents=True)
    job.log.write_text("mmf_run: error: no data file\n")
    cluster = Cluster(("FAILED", 2, "exit code 2"))
    run = RayRun(cluster, job, "first")
    assert run.poll() == 2 and not cluster.submitted
    assert run.error(2, None) == "no data file"


def test_a_missing_library_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.job_submission", None)
    with pytest.raises(ConfigError, match=r"pip install 'mmf_cmsbert\[ray\]'"):
        engine_named("ray", Resources(), tmp_path)


def test_a_cluster_that_does_not_answer_says_how_to_start_one(tmp_path):
    pytest.importorskip("ray.job_submission")
    with pytest.raises(ConfigError, match="does not answer at http://127.0.0.1:9.*ray start"):
        engine_named("ray", Resources(address="http://127.0.0.1:9"), tmp_path)


@pytest.mark.slow
def test_runs_on_two_nodes_score_as_on_this_machine(tmp_path):
    pytest.importorskip("ray.job_submission")
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    scripts = os.path.dirname(sys.executable)
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
    }

    def ray(*words):
        subprocess.run(["ray", *words], env=environment, check=True, timeout=120)

    local = ("--node-ip-address", "127.0.0.1", "--num-cpus", "1")
    try:
        ray("start", "--head", "--port", "6398", "--dashboard-port", "8266", *local)
        ray("start", "--address", "127.0.0.1:6398", *local)
        on_ray = ["--engine", "ray", "--address", "http://127.0.0.1:8266", "--jobs", "2"]
        for output, more in {"here": ["--jobs", "2"], "there": on_ray}.items():
            words = [
                sys.executable, "-c", "from mmf_cmsbert.commands import main; main()", "ablate",
                "cms_clr", "mag", "--seeds", "2", "--base", "projects/cmsbert/demo.yaml",
                "training.max_updates=20", "training.evaluation_interval=10",
                "dataset_config.mosi.synthetic.train=96", "env.data_dir=data",
                "--output", output, *more,
            ]  # fmt: skip
            subprocess.run(words, cwd=tmp_path, check=True, env=environment)
    finally:
        with suppress(subprocess.SubprocessError):
            ray("stop", "--force")
    scores = [
        {
            file.relative_to(tmp_path / folder): record.read(file)["test"]
            for file in tmp_path.glob(f"{folder}/**/run.json")
        }
        for folder in ("here", "there")
    ]
    assert len(scores[0]) == 4 and scores[0] == scores[1]
