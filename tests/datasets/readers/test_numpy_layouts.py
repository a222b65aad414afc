"""Arrays in every memory layout of NumPy are read in the same way as by NumPy."""

import itertools
import pickle
import pickletools

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers.file_views import FileArray
from mmf_cmsbert.datasets.readers.unpickler import load_plain
from mmf_cmsbert.errors import DataError

SHAPES = [(), (0,), (5,), (2, 3), (2, 0, 4), (1, 3, 1), (2, 3, 4), (2, 1, 3, 2)]
TYPES = ["<f4", ">f8", "f2", "i1", ">i8", "?", "U3", ">U2", "S4", "O"]


def arrays():
    for shape in SHAPES:
        for code in TYPES:
            array = np.arange(np.prod(shape, dtype=int)).astype(code).reshape(shape)
            for axes in itertools.permutations(range(len(shape))):
                yield array.transpose(axes)
            if len(shape) > 1:
                yield from (array[::-1, ..., ::-2], array[1:, ..., 1:])
    ragged = np.empty(3, object)
    ragged[:] = [np.ones((2, 3), np.float32).T, np.zeros((4, 3)), None]
    yield ragged
    yield np.broadcast_to(np.arange(3.0), (4, 3))
    yield np.broadcast_to(np.array(["a", None], object), (4, 2)).T


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_are_what_numpy_reads(tmp_path, protocol):
    wanted = list(arrays())
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps(wanted, protocol))
    found = load_plain(path)
    assert len(found) == len(wanted)
    for one, other in zip(found, pickle.loads(path.read_bytes()), strict=True):
        assert (one.shape, one.dtype.kind) == (other.shape, other.dtype.kind)
        assert str(one.tolist()) == str(other.tolist())


def test_order_k_is_among_them_and_a_large_array_stays_in_its_file(tmp_path):
    array = np.arange(3000.0).reshape(10, 3, 100).transpose(1, 0, 2)
    content = pickle.dumps(array, 5)
    if "K" not in [arg for _, arg, _ in pickletools.genops(content)]:
        pytest.skip(f"numpy {np.__version__} writes no order K")
    path = tmp_path / "array.pkl"
    path.write_bytes(content)
    found = load_plain(path)
    assert type(found) is FileArray and found[:].strides == array.strides
    assert np.array_equal(found, array)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="StringDType: numpy 2")
def test_texts_of_variable_length_are_texts(tmp_path):
    path = tmp_path / "array.pkl"
    path.write_bytes(pickle.dumps(np.array(["a", "b" * 300], np.dtypes.StringDType())))
    assert load_plain(path).tolist() == ["a", "b" * 300]


@pytest.mark.parametrize("axes", [(0, 0), (0,), (0, 1, 2), (-1, 0), (0, 1.0), [0, 1], (True, 0)])
def test_axes_that_are_no_order_of_the_axes_are_refused(tmp_path, axes):
    content = (
        b"\x80\x05cnumpy.core.numeric\n_frombuffer\n(C\x08AAAAAAAAcnumpy\ndtype\n(X\x02\x00\x00\x00"
        b"f4\x89\x88tRK\x02K\x01\x86X\x01\x00\x00\x00K" + pickle.dumps(axes, 2)[2:-1] + b"tR."
    )
    path = tmp_path / "array.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError, match="unknown memory layout"):
        load_plain(path)
