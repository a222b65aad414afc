"""Commands ended by a signal: exit status, message, record, and the same results when resumed.

With ``-s`` each signal is printed.
"""

import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from real_commands import (
    TRAINERS,
    Started,
    contents,
    conversion,
    handles_signals,
    leftovers,
    numbers,
    recipe,
    says,
    search_space,
    write_segments,
)

pytestmark = pytest.mark.slow
IMPORTS, LOADING, TRAINING = "imports", "loading", "training"
_MOMENTS = {LOADING: says("Loading datasets"), TRAINING: says("progress: 8/")}
TORCHRUN = [str(Path(sys.executable).parent / "torchrun"), "--nproc_per_node=2", "--no-python"]
TORCHRUN += ["--standalone"]
_whole = {}
# Trainer, signal, time, process; * is all processes at the same time, as from a terminal.
RUNS = [
    ("own", "SIGINT", IMPORTS, "0"),
    ("own", "SIGTERM", IMPORTS, "0"),
    ("own", "SIGINT", LOADING, "0"),
    ("own", "SIGTERM", LOADING, "0"),
    ("own", "SIGINT", TRAINING, "0"),
    ("own", "SIGTERM", TRAINING, "0"),
    ("own", "SIGHUP", TRAINING, "0"),
    ("own", "SIGUSR1", TRAINING, "0"),
    ("own", "SIGUSR2", TRAINING, "0"),
    ("own", "SIGXCPU", TRAINING, "0"),
    ("lightning", "SIGTERM", LOADING, "0"),
    ("lightning", "SIGINT", TRAINING, "0"),
    ("lightning", "SIGTERM", TRAINING, "0"),
    ("lightning", "SIGHUP", TRAINING, "0"),
    ("lightning", "SIGUSR1", TRAINING, "0"),
    ("two processes", "SIGTERM", LOADING, "0"),
    ("two processes", "SIGTERM", LOADING, "1"),
    ("two processes", "SIGINT", TRAINING, "*"),
    ("two processes", "SIGTERM", TRAINING, "0"),
    ("two processes", "SIGTERM", TRAINING, "1"),
    ("two processes", "SIGUSR1", TRAINING, "*"),
    ("two processes", "SIGHUP", TRAINING, "0"),
]


def whole(way, tmp_path_factory):
    """Results of the run without interruption."""
    if way not in _whole:
        folder = tmp_path_factory.mktemp("whole")
        started = Started(words(folder, way), folder)
        assert started.ended()[0] == 0, started.err.read_text()
        _whole[way] = numbers(folder / "run")
    return _whole[way]


def words(folder, way):
    config = recipe(folder)
    return ["mmf_run", f"config={config}", f"env.save_dir={folder / 'run'}", *TRAINERS[way]]


def said(err):
    """Return a command's stderr without warnings of libraries."""
    lines = [line for line in err.splitlines() if re.match(r"(mmf_\w+|cmsbert)[ \w]*: ", line)]
    assert "Traceback" not in err, err
    return lines


def note(name, number, moment, who, status, seconds):
    print(
        f"\n{name}, {number.name} to {who} in {moment}: status {status}, all gone after "
        f"{seconds:.1f} s",
        flush=True,
    )


@pytest.mark.parametrize(("way", "name", "moment", "who"), RUNS)
def test_a_run(tmp_path, tmp_path_factory, way, name, moment, who):
    number = signal.Signals[name]
    started = Started(words(tmp_path, way), tmp_path)
    try:
        assert started.until(handles_signals if moment == IMPORTS else _MOMENTS[moment])
        if who == "*":
            os.killpg(started.process.pid, number)
        else:
            os.kill(started.rank(1) if who == "1" else started.process.pid, number)
        seconds = started.alone_after(30)
        assert seconds is not None, "it hangs"
        status, _, err = started.ended()
    finally:
        started.end()
    assert status == 128 + number
    last = said(err)[-1]
    assert last.startswith(f"mmf_run: interrupted by {name}")
    assert len(said(err)) <= 1 + (moment == TRAINING)
    note(way, number, moment, who, status, seconds)
    if moment != TRAINING:
        assert "nothing was saved" in last or moment == IMPORTS
        assert not (tmp_path / "run" / "current.ckpt").exists()
        return
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["status"], record["error"]) == ("interrupted", f"Interrupted: {name}")
    assert 8 <= record["updates"] < 60
    assert f"after update {record['updates']}; the same command with checkpoint.resume=true" in last
    again = Started([*words(tmp_path, way), "checkpoint.resume=true"], tmp_path)
    status, out, err = again.ended()
    assert status == 0, err
    assert f"update {record['updates']}," in out
    assert numbers(tmp_path / "run") == whole(way, tmp_path_factory)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("who", ["0", "1"])
def test_a_killed_process_ends_the_other(tmp_path, who):
    started = Started(words(tmp_path, "two processes"), tmp_path)
    try:
        assert started.until(_MOMENTS[TRAINING])
        os.kill(started.rank(1) if who == "1" else started.process.pid, signal.SIGKILL)
        seconds = started.alone_after(30)
        assert seconds is not None, "it hangs"
        status, _, err = started.ended()
    finally:
        started.end()
    (line,) = said(err)
    assert line.startswith("mmf_run: error: ") and "checkpoint.resume=true" in line
    assert status == (1 if who == "1" else -signal.SIGKILL)
    note("two processes", signal.SIGKILL, TRAINING, who, status, seconds)


@pytest.mark.parametrize("who", ["torchrun", "1"])
def test_under_torchrun(tmp_path, who):
    started = Started(words(tmp_path, "two processes"), tmp_path, TORCHRUN)
    try:
        assert started.until(_MOMENTS[TRAINING])
        os.kill(started.rank(1) if who == "1" else started.process.pid, signal.SIGTERM)
        seconds = started.alone_after(30)
        assert seconds is not None, "it hangs"
        status, _, err = started.ended()
    finally:
        started.end()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["status"] == "interrupted"
    assert "mmf_run: interrupted by SIGTERM after update" in err
    assert status != 0  # printed by torchrun
    note("torchrun", signal.SIGTERM, TRAINING, who, status, seconds)


def test_a_request_before_the_first_update_promises_no_resume(tmp_path):
    started = Started(words(tmp_path, "own"), tmp_path)
    assert started.until(lambda _: (tmp_path / "run" / "config.yaml").exists())
    started.process.send_signal(signal.SIGINT)
    status, _, err = started.ended()
    assert status == 130
    saved = (tmp_path / "run" / "current.ckpt").exists()
    assert ("checkpoint.resume=true" in said(err)[-1]) == saved
    again = Started(words(tmp_path, "own"), tmp_path)
    assert again.ended()[0] == (2 if saved else 0)


def test_closed_output_ends_training_with_a_checkpoint(tmp_path):
    through = ["bash", "-c", '"$0" "$@" | grep -m1 "progress: 8/"; exit ${PIPESTATUS[0]}']
    pipe = Started(words(tmp_path, "own"), tmp_path, through)
    status, _, err = pipe.ended()
    assert status == 141 and "Traceback" not in err
    assert said(err)[-1].startswith("mmf_run: interrupted by SIGPIPE after update")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "interrupted"


@pytest.mark.parametrize(
    ("name", "moment"), [("SIGINT", IMPORTS), ("SIGTERM", LOADING), ("SIGUSR1", LOADING)]
)
def test_predictions(tmp_path, tmp_path_factory, name, moment):
    number = signal.Signals[name]
    if "trained" not in _whole:
        folder = tmp_path_factory.mktemp("trained")
        assert Started(words(folder, "own"), folder).ended()[0] == 0
        _whole["trained"] = folder
    folder = _whole["trained"]
    before = contents(folder / "run")
    started = Started(["mmf_predict", f"env.save_dir={folder / 'run'}"], folder)
    assert started.until(handles_signals if moment == IMPORTS else _MOMENTS[LOADING])
    started.process.send_signal(number)
    status, _, err = started.ended()
    assert status == 128 + number
    assert said(err)[-1].startswith(f"mmf_predict: interrupted by {name}")
    written = set(contents(folder / "run")) - set(before)
    assert not [file for file in written if file.endswith((".csv", ".json"))]
    note("predict", number, moment, "0", status, 0)


@pytest.mark.parametrize(("name", "moment"), [("SIGINT", 0.3), ("SIGTERM", 0.6), ("SIGTERM", 0.8)])
def test_conversions(tmp_path, name, moment):
    number, source = signal.Signals[name], tmp_path / "segments"
    write_segments(source)
    if "conversion" not in _whole:
        began = time.monotonic()
        assert Started(conversion(source, tmp_path / "whole"), tmp_path).ended()[0] == 0
        _whole["conversion"] = time.monotonic() - began
    seconds = _whole["conversion"]
    started = Started(conversion(source, tmp_path / "converted"), tmp_path)
    started.until(lambda started: time.monotonic() - started.began > moment * seconds)
    started.process.send_signal(number)
    status, _, err = started.ended()
    # -number: it had finished, and Python had removed its handlers at exit
    assert status in (0, 128 + number, -number)
    assert status <= 0 or f"interrupted by {name}" in said(err)[-1]
    assert leftovers(tmp_path) == []
    for split in (tmp_path / "converted").glob("*"):
        assert (split / "manifest.json").is_file(), "half a store"
    note("convert", number, f"{moment} of it", "0", status, 0)


@pytest.mark.parametrize(
    ("command", "name"), [("ablate", "SIGINT"), ("ablate", "SIGTERM"), ("tune", "SIGTERM")]
)
def test_experiments(tmp_path, command, name):
    number, base = signal.Signals[name], recipe(tmp_path, max_updates=2000)
    typed = ["cmsbert", command, "cms_clr", "--base", base, "--output", tmp_path / "there"]
    if command == "tune":
        typed += ["--space", search_space(tmp_path), "--trials", "2"]
    else:
        typed += ["text_only", "--seeds", "1", "--jobs", "2"]
    started = Started(typed, tmp_path)
    try:
        runs = lambda: [f.parent for f in (tmp_path / "there").rglob("current.ckpt")]  # noqa: E731
        assert started.until(lambda _: len(runs()) == 1 + (command == "ablate"))
        started.process.send_signal(number)
        seconds = started.alone_after(30)
        assert seconds is not None, f"orphans: {started.processes()}"
        status, out, err = started.ended()
    finally:
        started.end()
    assert status == 128 + number
    assert said(err)[-1] == f"cmsbert {command}: interrupted by {name}"
    for run in runs():
        assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    assert leftovers(tmp_path) == []
    note(command, number, TRAINING, "0", status, seconds)
