"""The number of threads that free cores allow."""

import subprocess
import sys

import pytest

from mmf_cmsbert.utils import threads


@pytest.fixture
def cores(monkeypatch):
    """Set usable and free cores."""

    def set_(usable, free):
        monkeypatch.setattr(threads, "usable_cores", lambda: usable)
        monkeypatch.setattr(threads, "free_cores", lambda: free)

    return set_


@pytest.mark.parametrize(
    ("usable", "free", "count"),
    [(8, 8.0, 8), (8, 7.7, 8), (8, 5.2, 5), (8, 0.0, 1), (2, 0.9, 1), (64, 64.0, 16)],
)
def test_as_many_as_cores_are_free_at_least_one_and_no_more_than_torchs(cores, usable, free, count):
    cores(usable, free)
    found = threads.choose(16)
    assert found.count == count
    assert found.why == f"{free:.1f} of {usable} usable cores free"


def test_a_resumed_run_has_the_number_of_its_record(cores):
    cores(8, 1.0)
    assert threads.choose(16, recorded=5) == threads.Threads(5, "as in the run that is resumed")


def test_processes_of_a_run_share_the_cores(cores):
    cores(8, 0.0)  # they are all starting
    assert threads.choose(16, processes=3).count == 2
    assert threads.choose(16, processes=9).count == 1


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_quotas_of_control_groups_of_both_versions(tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads.cgroup_quota(tmp_path) == quota


def test_a_quota_limits_the_usable_cores(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: set(range(8)))
    for quota, count in ((None, 8), (2.5, 3), (0.1, 1), (20.0, 8)):
        monkeypatch.setattr(threads, "cgroup_quota", lambda quota=quota: quota)
        assert threads.usable_cores() == count


@pytest.mark.skipif(sys.platform != "linux", reason="the load is read from /proc")
def test_a_busy_process_takes_its_core():
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert threads.free_cores(0.3) < threads.usable_cores() - 0.2
    finally:
        loop.kill()
        loop.wait()


def test_without_a_measure_of_the_load_all_cores_are_free(monkeypatch):
    monkeypatch.setattr(threads, "_busy_seconds", lambda: None)
    assert threads.free_cores() == threads.usable_cores()


def test_a_variable_of_the_user_is_named(monkeypatch):
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.set_by_user() == "OMP_NUM_THREADS=3"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.set_by_user() is None
