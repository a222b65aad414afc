"""Files are hashed once, and written atomically."""

import errno
import hashlib
import os
import resource
import socket
from pathlib import Path

import pytest

from mmf_cmsbert import files
from mmf_cmsbert.files import (
    FileTooLarge,
    NotRegularFile,
    WriteError,
    check_regular,
    open_regular,
    overwrite_text,
    read_regular,
    replace_text,
    replaced_file,
    sha256_of,
    write_error,
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"first")
    return path


@pytest.fixture
def readings(monkeypatch):
    """Record which files are opened."""
    opened = []

    def counting(path):
        opened.append(path)
        return open_regular(path)

    monkeypatch.setattr(files, "open_regular", counting)
    return opened


@pytest.fixture(params=["pipe", "socket", "device", "folder"])
def not_regular(request, tmp_path):
    """A path that is not a regular file, and its kind."""
    path = tmp_path / "odd"
    if request.param == "pipe":
        os.mkfifo(path)
        return path, "a named pipe"
    if request.param == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        return path, "a socket"
    if request.param == "device":
        return Path("/dev/zero"), "a character device"
    path.mkdir()
    return path, "a folder"


@pytest.mark.parametrize("size", [0, 5, files._BLOCK + 1])
def test_the_hash_is_that_of_the_content(tmp_path, size):
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    (tmp_path / "data").write_bytes(content)
    assert sha256_of(tmp_path / "data") == hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once_by_whatever_path(file, readings, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert sha256_of(file) == sha256_of(Path("data")) == sha256_of(file)
    assert len(readings) == 1


def test_the_same_name_elsewhere_is_another_file(file, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data").write_bytes(b"other")
    time = file.stat().st_mtime_ns
    os.utime(tmp_path / "other" / "data", ns=(time, time))
    found = []
    for folder in (tmp_path, tmp_path / "other"):
        monkeypatch.chdir(folder)
        found.append(sha256_of(Path("data")))
    assert found[0] != found[1]


@pytest.mark.parametrize(("content", "later"), [(b"longer than before", 0), (b"other", 1)])
def test_a_file_of_another_size_or_time_is_read_again(file, content, later):
    before, time = sha256_of(file), file.stat().st_mtime_ns
    file.write_bytes(content)
    os.utime(file, ns=(time + later, time + later))
    assert sha256_of(file) == hashlib.sha256(content).hexdigest() != before


def test_what_is_not_there_has_no_hash(tmp_path):
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "gone")


@pytest.mark.parametrize(("watched", "size", "shown"), [(1, 5, 1), (1, 4, 0), (0, 5, 0)])
def test_only_a_large_file_has_a_bar_and_only_on_a_terminal(
    tmp_path, monkeypatch, capsys, watched, size, shown
):
    monkeypatch.setattr(files, "_WORTH_A_BAR", 5)
    (tmp_path / "data.pkl").write_bytes(bytes(size))
    # The stream of tqdm, which is read when a bar is created.
    monkeypatch.setattr("sys.stderr.isatty", lambda: bool(watched))
    sha256_of(tmp_path / "data.pkl")
    captured = capsys.readouterr()
    assert ("hashing data.pkl" in captured.err) == bool(shown)
    assert captured.out == ""


def test_a_file_is_replaced_at_the_end(file):
    with replaced_file(file) as unfinished:
        unfinished.write_bytes(b"second")
        assert file.read_bytes() == b"first"
        assert unfinished.parent == file.parent
    assert file.read_bytes() == b"second"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_was_not_there_is(tmp_path):
    with replaced_file(tmp_path / "new") as unfinished:
        unfinished.write_bytes(b"content")
    assert [each.name for each in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_breaks_off_leaves_the_file_and_nothing_else(file, error):
    for written in (b"half", None):
        with pytest.raises(error), replaced_file(file) as unfinished:
            if written:
                unfinished.write_bytes(written)
            raise error
    assert file.read_bytes() == b"first"
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_take_the_place_is_removed(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError), replaced_file(tmp_path / "folder") as unfinished:
        unfinished.write_bytes(b"content")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(
    "reads", [open_regular, check_regular, sha256_of, lambda path: read_regular(path, 10)]
)
def test_pipes_sockets_devices_and_folders_are_refused_at_once(
    not_regular, tmp_path, linked, reads
):
    path, kind = not_regular
    if linked:
        (tmp_path / "link").symlink_to(path)
        path = tmp_path / "link"
    with pytest.raises(NotRegularFile, match=f"{path}: expected a file, found {kind}"):
        reads(path)


def test_a_pipe_that_takes_the_place_of_a_file_while_it_is_opened_is_refused(file, monkeypatch):
    def exchanged(path):
        file.unlink()
        os.mkfifo(file)

    monkeypatch.setattr(files, "check_regular", exchanged)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(NotRegularFile, match="a named pipe"):
        open_regular(file)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_regular_file_and_a_link_to_one_are_read(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    for path in (file, tmp_path / "link"):
        with open_regular(path) as opened:
            assert (opened.read(), opened.name) == (b"first", str(path))
        assert read_regular(path, 5) == b"first"


def test_a_file_larger_than_the_limit_is_not_read(file):
    with pytest.raises(FileTooLarge, match=r"larger than 4 bytes"):
        read_regular(file, 4)


@pytest.fixture
def small_files():
    """Limit files to 1,000 bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_limit_on_file_sizes_is_named_and_the_old_file_stays(file, small_files):
    with pytest.raises(WriteError, match=r"data cannot be written: .*ulimit -f"):
        replace_text(file, "x" * 1001)
    assert file.read_bytes() == b"first"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "no space is left on the disk"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EROFS, "read-only"),
    ],
)
def test_a_full_disk_is_named(file, number, reason):
    with pytest.raises(WriteError, match=rf"data cannot be written: .*{reason}"):  # noqa: SIM117
        with replaced_file(file):
            raise OSError(number, "as the system says it")
    assert file.read_bytes() == b"first"


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(WriteError, match=r"gone/new cannot be written: No such file"):
        replace_text(tmp_path / "gone" / "new", "content")


def test_an_error_of_another_file_stays_what_it_is(file):
    with pytest.raises(FileNotFoundError), replaced_file(file):
        (file.parent / "another").read_bytes()
    assert write_error(FileNotFoundError(errno.ENOENT, "none", "another")) is None


def test_a_file_is_overwritten_only_within_its_own_blocks(file):
    assert overwrite_text(file, "longer than before")
    assert file.read_text() == "longer than before"
    assert overwrite_text(file, "short")
    assert file.read_text() == "short"
    assert not overwrite_text(file, "x" * 1_000_000)
    assert file.read_text() == "short"
