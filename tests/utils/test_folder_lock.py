"""A folder has one owner at a time, for as long as any process of the owner lives."""

import errno
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.utils import folder_lock
from mmf_cmsbert.utils.folder_lock import NAME, descriptors, join, locked, wait_until_free

CONTEXT = multiprocessing.get_context("fork")
SLEEPER = [sys.executable, "-c", "print(flush=True); input()"]


def lock(folder, command="mmf_run config=b.yaml"):
    return locked(folder, command, "env.save_dir=FOLDER")


def owner(folder, start_child=None):
    """Start a process that locks a folder and waits, optionally with a child that inherits it."""
    here, there = CONTEXT.Pipe()

    def main():
        with lock(folder, "mmf_run config=a.yaml"):
            there.send(start_child() if start_child else None)
            time.sleep(60)

    process = CONTEXT.Process(target=main)
    process.start()
    there.close()
    return process, here.recv()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(folder_lock, "_PATIENCE", 0.2)


def end(process):
    process.kill()
    process.join()


def test_a_second_command_is_refused_with_owner_time_and_what_to_type(tmp_path):
    process, _ = owner(tmp_path)
    try:
        with pytest.raises(ConfigError) as error, lock(tmp_path):
            pass
    finally:
        end(process)
    message = str(error.value)
    assert f"process {process.pid} on {socket.gethostname()}, running since 20" in message
    assert "mmf_run config=a.yaml" in message and str(tmp_path) in message
    assert f"kill {process.pid}" in message and message.endswith("or type env.save_dir=FOLDER")


def test_a_killed_owner_blocks_nobody(tmp_path):
    process, _ = owner(tmp_path)
    end(process)
    with lock(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()


def test_an_owner_that_has_left_blocks_nobody(tmp_path):
    for _ in range(2):
        with lock(tmp_path):
            pass


def forked():
    child = CONTEXT.Process(target=time.sleep, args=(60,))
    child.start()
    return child.pid


def started():
    child = subprocess.Popen(
        SLEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=descriptors()
    )
    child.stdout.readline()
    return child.pid


@pytest.mark.parametrize("start_child", [forked, started])
def test_the_lock_lives_while_a_child_of_the_killed_owner_lives(tmp_path, impatient, start_child):
    process, child = owner(tmp_path, start_child)
    # An open pipe to the child would close with the owner.
    os.kill(child, signal.SIGSTOP)
    end(process)
    try:
        with pytest.raises(ConfigError, match=f"still run: {child}.*kill {child}"):
            lock(tmp_path).__enter__()
    finally:
        os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with lock(tmp_path):
                return
        except ConfigError:
            time.sleep(0.05)
    pytest.fail("still locked after the last process has ended")


def test_the_children_of_a_killed_owner_are_waited_for(tmp_path, capsys):
    process, child = owner(tmp_path, forked)
    end(process)
    os.kill(child, signal.SIGSTOP)
    later = CONTEXT.Process(target=lambda: (time.sleep(0.3), os.kill(child, signal.SIGKILL)))
    later.start()
    with lock(tmp_path):
        pass
    later.join()
    assert f"waiting for the other processes of process {process.pid}" in capsys.readouterr().err


def test_another_rank_holds_the_lock_too(tmp_path, impatient):
    """A process that was started by a launcher and inherits no lock."""
    first, _ = owner(tmp_path)

    here, there = CONTEXT.Pipe()

    def other_rank():
        join(tmp_path)
        there.send(None)
        time.sleep(60)

    second = CONTEXT.Process(target=other_rank)
    second.start()
    here.recv()
    end(first)
    try:
        with pytest.raises(ConfigError, match=f"still run: {second.pid}"), lock(tmp_path):
            pass
    finally:
        end(second)
    with lock(tmp_path):
        pass


def test_joining_where_nobody_locks_does_nothing(tmp_path):
    join(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b'{"pid": "x"}', b"9" * 5000])
def test_a_damaged_description_neither_blocks_nor_hides_the_owner(tmp_path, content):
    process, _ = owner(tmp_path)
    (tmp_path / NAME).write_bytes(content)
    try:
        with pytest.raises(ConfigError, match=f"another command.*{process.pid}"), lock(tmp_path):
            pass
    finally:
        end(process)
    (tmp_path / NAME).write_bytes(content)
    with lock(tmp_path):
        pass


def test_a_number_that_another_process_has_by_now_is_not_the_owner(tmp_path):
    with lock(tmp_path):
        pass
    written = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps(written | {"start_time": "1"}))
    assert folder_lock._has_ended(folder_lock._owner(tmp_path / NAME))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_locks_a_warning_says_so_and_a_live_owner_is_still_noticed(
    tmp_path, monkeypatch, capsys, number
):
    def flock(descriptor, kind):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folder_lock.fcntl, "flock", flock)
    with lock(tmp_path):
        assert "supports no locks" in capsys.readouterr().err
    process, _ = owner(tmp_path)
    try:
        with pytest.raises(ConfigError, match=f"in use by process {process.pid}"), lock(tmp_path):
            pass
    finally:
        end(process)
    with lock(tmp_path):
        pass


def test_an_owner_on_another_machine_is_named_with_it(tmp_path):
    process, _ = owner(tmp_path)
    written = json.loads((tmp_path / NAME).read_text()) | {"host": "node7", "pid": 4711}
    (tmp_path / NAME).write_text(json.dumps(written))
    try:
        with pytest.raises(ConfigError, match=re.escape("kill 4711 on node7")), lock(tmp_path):
            pass
    finally:
        end(process)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_what_is_no_lock_file_is_refused_at_once(tmp_path, kind):
    file = tmp_path / NAME
    make = {"pipe": lambda: os.mkfifo(file), "folder": file.mkdir}
    make.get(kind, lambda: file.symlink_to(tmp_path / "elsewhere"))()
    with pytest.raises(ConfigError, match=re.escape(f"{file}: ")), lock(tmp_path):
        pass


def test_a_folder_becomes_free_when_its_command_ends(tmp_path):
    begun = time.monotonic()
    wait_until_free(tmp_path / "none")
    with locked(tmp_path, "a command", "--output FOLDER"):
        wait_until_free(tmp_path, seconds=0.3)
        assert time.monotonic() - begun >= 0.3
    wait_until_free(tmp_path)
    assert time.monotonic() - begun < 10
