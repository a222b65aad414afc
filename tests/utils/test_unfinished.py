"""Incomplete files of killed processes, and no others, are deleted by the next command."""

import os
import socket
import subprocess
import sys

import pytest

from mmf_cmsbert.files import replaced_file
from mmf_cmsbert.utils import unfinished
from mmf_cmsbert.utils.unfinished import clear_locked, replaced_folder, scratch_folder

HOST = socket.gethostname()
DEAD = 2**22 + 1  # larger than any process id on Linux


@pytest.fixture(autouse=True)
def next_command(monkeypatch):
    """Reset the folders that this process has searched."""
    monkeypatch.setattr(unfinished, "_looked_through", set())


def leave(folder, name, is_folder):
    path = folder / name
    if is_folder:
        path.mkdir()
        (path / "part").write_text("half")
    else:
        path.write_text("half")
    return path


WRITERS = {
    "a file": lambda folder: replaced_file(folder / "new"),
    "a folder": lambda folder: replaced_folder(folder / "new"),
    "a scratch folder": scratch_folder,
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("is_folder", [False, True])
def test_leftovers_of_dead_processes_are_removed_by_whatever_is_written_next(
    tmp_path, writer, is_folder
):
    left = leave(tmp_path, f".data.v1.pkl.{HOST}.{DEAD}.tmp", is_folder)
    with WRITERS[writer](tmp_path) as path:
        if writer == "a file":
            path.write_text("whole")
        assert not left.exists()


def test_what_others_write_and_what_is_nobodys_stays(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        names = [
            f".data.{HOST}.{other.pid}.tmp",  # is being written
            f".data.another-machine.{DEAD}.tmp",
            f"data.{HOST}.{DEAD}.tmp",  # the user's
            f".data.{DEAD}.tmp",  # from an earlier version, without the name of the machine
            ".tmp",
        ]
        for name in names:
            leave(tmp_path, name, False)
        with replaced_file(tmp_path / "new") as path:
            path.write_text("whole")
        assert {each.name for each in tmp_path.iterdir()} == {*names, "new"}


def test_a_process_that_its_parent_has_not_yet_reaped_is_dead(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    ended.stdout.read()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    left = leave(tmp_path, f".data.{HOST}.{ended.pid}.tmp", False)
    with replaced_file(tmp_path / "new") as path:
        path.write_text("whole")
    ended.wait()
    assert not left.exists()


def test_a_process_with_a_number_that_was_used_before_writes_all_the_same(tmp_path):
    leave(tmp_path, f".new.{HOST}.{os.getpid()}.tmp", True)
    with replaced_file(tmp_path / "new") as path:
        path.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == ["new"]


def test_a_folder_replaced_by_a_process_that_was_killed_between_the_renames_is_completed(tmp_path):
    left = leave(tmp_path, f".store.{HOST}.{DEAD}.tmp", True)
    (left / "old").mkdir()
    with replaced_file(tmp_path / "new") as path:
        path.write_text("whole")
    assert (tmp_path / "store" / "part").read_text() == "half"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new", "store"]
    assert not (tmp_path / "store" / "old").exists()


def test_under_the_folders_lock_names_without_an_owner_go_too(tmp_path):
    for name in ("current.ckpt.saving", "best.ckpt.placing", f".run.json.{DEAD}.tmp", "best.ckpt"):
        leave(tmp_path, name, False)
    clear_locked(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["best.ckpt"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    for content in ("first", "second"):
        with replaced_folder(tmp_path / "store") as folder:
            (folder / "part").write_text(content)
    with pytest.raises(KeyboardInterrupt), replaced_folder(tmp_path / "store") as folder:
        (folder / "part").write_text("third")
        raise KeyboardInterrupt
    assert (tmp_path / "store" / "part").read_text() == "second"
    assert [each.name for each in tmp_path.iterdir()] == ["store"]
