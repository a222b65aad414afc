"""Arrays and bytes in a file behave like NumPy arrays and bytes in memory."""

import itertools
import math
import os

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers import file_views
from mmf_cmsbert.datasets.readers.file_views import FileArray, FileBytes, ViewedFile
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular

SHAPES = [(7,), (5, 3), (4, 3, 2), (3, 1, 2, 2)]


def viewed(path, content):
    path.write_bytes(b"before" + content + b"after")
    return FileBytes(ViewedFile(path, open_regular(path)), 6, len(content))


@pytest.fixture(params=[1, 50, 1 << 22], ids=["an element", "some elements", "the whole"])
def window(request, monkeypatch):
    """The number of bytes read at once."""
    monkeypatch.setattr(file_views, "_WINDOW", request.param)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", ["<f4", ">f8", "U3", "S2"])
def test_every_order_of_axes(tmp_path, window, shape, code):
    stored = np.arange(math.prod(shape)).astype(code).reshape(shape)
    for number, axes in enumerate(itertools.permutations(range(len(shape)))):
        wanted = stored.transpose(axes)
        content = viewed(tmp_path / str(number), stored.tobytes())
        found = FileArray(content, stored.dtype, shape, axes)
        assert (found.shape, found.ndim, found.size) == (wanted.shape, wanted.ndim, wanted.size)
        assert (found.dtype, found.nbytes, len(found)) == (wanted.dtype, wanted.nbytes, len(wanted))
        assert np.array_equal(np.asarray(found), wanted)
        assert [each.tolist() for each in found] == [each.tolist() for each in wanted]
        for _ in range(2):
            keys = [*range(-len(wanted), len(wanted)), slice(1, 3), slice(None), slice(2, 1)]
            for key in [*keys, slice(None, None, -1), ..., [0, -1], slice(-2, None)]:
                assert np.array_equal(found[key], wanted[key]), key
        if wanted.ndim > 1:
            for key in [(-1, 0), (slice(0, 2), 0), (0, slice(0, 1)), (slice(None), slice(0, 1))]:
                assert np.array_equal(found[key], wanted[key]), key
        for key in (len(wanted), -len(wanted) - 1):
            with pytest.raises(IndexError):
                found[key]


@pytest.fixture
def array(tmp_path):
    numbers = np.arange(12, dtype=np.float32).reshape(4, 3)
    content = viewed(tmp_path / "numbers", numbers.tobytes())
    return FileArray(content, numbers.dtype, (4, 3), (0, 1)), numbers


def test_it_is_an_array_to_readers_and_to_numpy(array):
    found, numbers = array
    assert isinstance(found, np.ndarray)
    for each in (np.stack([found, found])[1], found + 0, np.require(found, np.float32), found * 1):
        assert type(each) is np.ndarray and np.array_equal(each, numbers)
    assert np.isfinite(found).all() and found.sum() == numbers.sum() and 5 in found
    assert (found == numbers).all() and found.tolist() == numbers.tolist()
    assert (np.ndim(found), np.size(found), np.shape(found)) == (2, 12, (4, 3))


def test_it_is_read_only(array):
    found, numbers = array
    with pytest.raises((TypeError, ValueError)):
        found[0][0] = 1
    with pytest.raises(TypeError):
        found[0] = numbers[0]


@pytest.mark.parametrize("change", ["cut", "overwritten", "longer"])
def test_a_file_that_has_changed_is_an_error(tmp_path, array, change):
    found, _ = array
    assert found[0].tolist() == [0, 1, 2]
    path = tmp_path / "numbers"
    if change == "cut":
        os.truncate(path, 20)
    else:
        with open(path, "ab" if change == "longer" else "r+b") as file:
            file.write(b"\xff" * 30)
        os.utime(path, ns=(1, 1))
    for read in (lambda: found[1], lambda: np.asarray(found), lambda: list(found)):
        with pytest.raises(DataError, match="numbers: changed while it was read .* start again"):
            read()


def test_scattered_elements_are_read_together_and_few_windows_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(file_views, "_WINDOW", 100)
    monkeypatch.setattr(file_views, "_WINDOWS", 2)
    numbers = np.arange(120, dtype=np.uint8).reshape(3, 40)
    content = viewed(tmp_path / "numbers", numbers.tobytes())
    found = FileArray(content, numbers.dtype, (3, 40), (1, 0))
    reads = []
    real = ViewedFile.read_into
    monkeypatch.setattr(ViewedFile, "read_into", lambda *args: reads.append(0) or real(*args))
    for column in range(33):
        assert found[column].tolist() == numbers[:, column].tolist()
    assert len(reads) == 3  # the rows of a window of 33 columns
    for column in (0, 39, 0, 39):
        found[column]
    assert len(reads) == 6
    assert len(content.file._windows) == 2


def test_the_file_is_closed_with_its_last_view(tmp_path, array):
    del array
    content = viewed(tmp_path / "more", b"x" * 10)
    descriptor = content.file._descriptor
    assert os.fstat(descriptor)
    del content
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
