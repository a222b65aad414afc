import re
import sys
from types import SimpleNamespace

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.engines.engine import Resources, engine_named
from mmf_cmsbert.experiments.engines.ray import RayEngine, RayRun


class Status(str):
    def is_terminal(self):
        return self in ("SUCCEEDED", "FAILED", "STOPPED")


class Cluster:
    """What Ray says, look by look: ``(status, exit code, message)``, or None without an answer."""

    address = "http://head:8265"

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


def test_a_cluster_that_does_not_come_back_ends_the_wait_with_what_to_type(planned):
    now = iter([0.0, 100.0, 200.0, 250.0, 400.0, 600.0])
    cluster = Cluster(None, RUNNING, None, None, None)
    run = RayRun(cluster, planned(["a"])[0], "first", lambda: next(now))
    assert [run.poll() for _ in range(5)] == [None, None, None, None, 1]
    assert re.match(
        "Ray has not answered at http://head:8265 for 5 minutes; type the same command when",
        run.error(1, None),
    )


def test_a_cluster_that_does_not_know_a_run_has_lost_it():
    pytest.importorskip("ray.job_submission")

    def get_job_info(id):
        raise RuntimeError("Request failed with status code 404: Job first does not exist.")

    engine = object.__new__(RayEngine)
    engine._client, engine._seen = SimpleNamespace(get_job_info=get_job_info), {}
    state = engine.state("first")
    assert state.status.is_terminal() and state.driver_exit_code is None


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
