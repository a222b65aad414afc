"""Shards on a real Ray cluster of two nodes."""

import os
import secrets
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from shard_commands import outputs, predict, run, wait_for, write_shards


@pytest.mark.slow
def test_an_interrupted_prediction_continues_to_the_same_files(tmp_path):
    pytest.importorskip("ray.job_submission")
    write_shards(tmp_path, shards=8, rows=3000)
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    environment = alone | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
    }

    def ray(*words):
        subprocess.run(["ray", *words], env=environment, check=True, timeout=120)

    local = ("--node-ip-address", "127.0.0.1", "--num-cpus", "1")
    command = predict(
        "there", "--engine", "ray", "--address", "http://127.0.0.1:8267", "--jobs", "2"
    )
    try:
        ray("start", "--head", "--port", "6399", "--dashboard-port", "8267", *local)
        ray("start", "--address", "127.0.0.1:6399", *local)
        launcher = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )
        wait_for(lambda: list(tmp_path.glob("there/_shards/results/*.json")))
        launcher.send_signal(signal.SIGINT)
        said, _ = launcher.communicate(timeout=60)
        assert launcher.returncode == 130 and "ray job stop" in said
        again = run(command, tmp_path, environment)
        print(said, again.stdout, again.stderr)
        assert again.returncode == 0 and "8 shards, 24,000 rows in" in again.stdout
    finally:
        with suppress(subprocess.SubprocessError):
            ray("stop", "--force")
    here = run(predict("here"), tmp_path, alone)
    assert here.returncode == 0, here.stderr
    assert outputs(tmp_path / "here") == outputs(tmp_path / "there")
