import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import postgres_server
import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments import shared_search
from mmf_cmsbert.experiments.search import TrialFailed
from mmf_cmsbert.experiments.shared_search import ended, open_shared, search_together
from mmf_cmsbert.experiments.space import Dimension

pytest.importorskip("optuna", reason="a search needs Optuna, which is optional")

SPACE = [Dimension("x", -1.0, 1.0)]


@pytest.fixture(params=["journal.log", "sqlite:///{}/study.db"])
def storage(request, tmp_path):
    name = request.param
    return name.format(tmp_path) if "://" in name else str(tmp_path / name)


def opened(storage, made_with=None):
    return open_shared(storage, "demo", True, made_with or {"a": 1}, heartbeat=1)


def work(storage, trials, evaluate=None, prune=False):
    study = opened(storage)
    search_together(study, SPACE, trials, 1, evaluate or squared, prune, pause=0.05)
    return study


def squared(number, values, report):
    return values["x"] ** 2


def test_workers_that_join_later_make_what_is_left(storage):
    work(storage, 2)
    numbers = []

    def evaluate(number, values, report):
        numbers.append(number)
        return squared(number, values, report)

    study = work(storage, 5, evaluate)
    assert numbers == [2, 3, 4] and len(ended(study)) == 5


def test_searches_with_other_settings_do_not_mix(storage):
    work(storage, 2)
    assert ended(opened(storage, {"a": 2})) == []


def test_a_failed_trial_keeps_its_reason_and_is_not_repeated(storage):
    def evaluate(number, values, report):
        if number == 0:
            raise TrialFailed("loss is NaN")
        return squared(number, values, report)

    first, second = ended(work(storage, 2, evaluate))
    assert first.user_attrs["error"] == "loss is NaN" and second.value is not None


def test_an_interrupted_trial_is_taken_up_with_its_setting_and_number(storage):
    seen = []

    def evaluate(number, values, report):
        seen.append((number, values["x"]))
        if len(seen) == 1:
            raise KeyboardInterrupt
        return squared(number, values, report)

    with pytest.raises(KeyboardInterrupt):
        work(storage, 1, evaluate)
    assert len(ended(work(storage, 1, evaluate))) == 1
    assert seen[0] == seen[1]


def test_a_killed_workers_trial_is_taken_up_by_another(storage):
    """The other worker draws nothing new meanwhile: the dead one's trial counts."""
    worker = multiprocessing.get_context("spawn").Process(target=hang, args=(storage,))
    worker.start()
    study = opened(storage)
    while not any("worker" in trial.user_attrs for trial in study.get_trials()):
        time.sleep(0.05)
    (running,) = study.get_trials()
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    seen = []

    def evaluate(number, values, report):
        seen.append((number, values))
        return squared(number, values, report)

    assert len(ended(work(storage, 1, evaluate))) == 1
    assert seen == [(running.number, running.user_attrs["values"])]


def hang(storage):
    work(storage, 1, lambda *given: time.sleep(60))


def test_a_trial_that_is_worse_than_the_others_is_pruned(storage):
    updates = []

    def evaluate(number, values, report):
        for update in (10, 20):
            updates.append((number, update))
            report(update, float(number))
        return float(number)

    study = work(storage, 7, evaluate, prune=True)
    states = [trial.state.name for trial in ended(study)]
    # Optuna's median needs five trials; the sixth is above it at once.
    assert states == ["COMPLETE"] * 5 + ["PRUNED"] * 2
    assert (5, 10) in updates and (5, 20) not in updates


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("nowhere://me:secret@host/name", "--storage nowhere://me@host/name cannot be opened"),
        ("/no/such/folder/journal.log", "--storage /no/such/folder/journal.log cannot be opened"),
    ],
)
def test_a_storage_that_cannot_be_opened_is_named_without_its_password(
    monkeypatch, storage, expected
):
    waits = []
    monkeypatch.setattr(shared_search, "time", SimpleNamespace(sleep=waits.append))
    with pytest.raises(ConfigError, match=re.escape(expected)) as raised:
        opened(storage)
    assert "secret" not in str(raised.value)
    assert waits == [1, 1] * ("://" in storage)  # it asks a database again


needs_postgres = pytest.mark.skipif(
    bool(postgres_server.missing()), reason=postgres_server.missing() or ""
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["journal", pytest.param("postgresql", marks=needs_postgres)])
def test_optunas_dashboard_opens_a_search(tmp_path, kind):
    pytest.importorskip("optuna_dashboard")
    if kind == "postgresql":
        pytest.importorskip("psycopg")
    journal = nullcontext(str(tmp_path / "journal.log"))
    with postgres_server.postgres() if kind == "postgresql" else journal as storage:
        work(storage, 3)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        where = ["--host", "127.0.0.1", "--port", str(port)]
        program = "from optuna_dashboard._cli import main; main()"
        dashboard = subprocess.Popen([sys.executable, "-c", program, storage, *where])
        try:
            shown = answer(f"http://127.0.0.1:{port}/api/studies")
        finally:
            dashboard.terminate()
            dashboard.wait()
    (study,) = shown["study_summaries"]
    assert study["study_name"].startswith("demo-")


def answer(url, seconds=60.0):
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as opened:
            return json.load(opened)
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.slow
@needs_postgres
def test_two_workers_on_postgresql_one_of_them_killed(tmp_path):
    pytest.importorskip("psycopg")
    (tmp_path / "space.yaml").write_text(
        "optimizer.params.lr: {low: 1.0e-4, high: 1.0e-2, log: true}\n"
    )
    with postgres_server.postgres() as url:
        command = [
            sys.executable, "-c", "from mmf_cmsbert.commands import main; main()", "tune",
            "projects/cmsbert/demo.yaml", "--space", "space.yaml", "--trials", "4",
            "--storage", url,
            "training.max_updates=40", "training.evaluation_interval=10",
            "training.checkpoint_interval=10", "dataset_config.mosi.synthetic.train=96",
            "env.data_dir=data", "--output", "out",
        ]  # fmt: skip
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        workers = [
            subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)
            for _ in range(2)
        ]
        end = time.monotonic() + 180
        while not list(tmp_path.glob("out/trials/*/runs/**/current.ckpt")):
            assert time.monotonic() < end
            time.sleep(0.2)
        os.killpg(workers[0].pid, signal.SIGKILL)
        assert workers[1].wait(900) == 0
    rows = (tmp_path / "out" / "trials.csv").read_text().splitlines()
    assert len(rows) == 5 and all(row.endswith(",") for row in rows[1:]), "four scored, no error"
    assert (tmp_path / "out" / "best.yaml").is_file()
