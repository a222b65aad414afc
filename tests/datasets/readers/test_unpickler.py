"""Pickles are read as data and never executed."""

import copyreg
import io
import os
import pickle
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from damaged_files import Runs, bad_state

from mmf_cmsbert.datasets.readers.file_views import FileArray
from mmf_cmsbert.datasets.readers.unpickler import MOST_INSTRUCTIONS, load_plain
from mmf_cmsbert.errors import DataError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
PLAIN = [
    ["list", ("tuple", [1, [2, ()]]), {"key": {"k": b"bytes\xff", 3: None}}],
    [True, False, -(2**70), 2**40, -7, 1.5, float("-inf"), "text é\n\\u", b"", ""],
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    np.arange(12.0).reshape(3, 4)[::2, 1:],
    np.arange(3, dtype=">i4"),
    np.array(["a", "word"]),
    np.array([b"a", b"word"]),
    np.array(["text", 1, None], dtype=object),
    np.array([True, False]),
    np.float16([1.5]),
    np.zeros((0, 47), np.float32),
    np.zeros((5, 0), np.float32),
    np.array(2.5),
    np.float32(1.25),
    np.int64(-3),
    np.bool_(True),
    np.str_("word"),
]


def assert_same(found, expected):
    if isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        # In protocol 4 and older, pickle swaps the bytes of numbers.
        assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
        assert found.shape == expected.shape
        assert np.array_equal(found, expected)
    elif isinstance(expected, (list, tuple)):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert type(found) is type(expected)
        assert found == expected


def write(tmp_path, content):
    path = tmp_path / "data.pkl"
    path.write_bytes(content)
    return path


def refusal(tmp_path, content):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as error:
        load_plain(path)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_arrives_as_with_pickle_itself(tmp_path, protocol):
    content = pickle.dumps(PLAIN, protocol)
    assert_same(load_plain(write(tmp_path, content)), pickle.loads(content))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("ours", "theirs"), [("numpy._core.", "numpy.core."), ("numpy.core.", "numpy._core.")]
)
def test_pickles_of_numpy_1_and_2_are_read(tmp_path, protocol, ours, theirs):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    content = pickle.dumps(array, protocol).replace(ours.encode(), theirs.encode())
    if protocol >= 4:  # the module's name is stored with its length, inside a frame with a length
        content = repack(content)
    assert_same(load_plain(write(tmp_path, content)), array)


def repack(content):
    """Correct the length before each module name, and remove the frame."""
    body = content[11:] if content[2:3] == b"\x95" else content[2:]
    for name in ("multiarray", "numeric"):
        for module in (f"numpy._core.{name}".encode(), f"numpy.core.{name}".encode()):
            at = body.find(module)
            if at > 0:
                body = body[: at - 1] + bytes([len(module)]) + body[at:]
    return content[:2] + body


def test_pickles_of_python_2_are_read(tmp_path):
    # Protocol 2 as Python 2.7 with numpy 1.16 writes [u"word", "text", array([1, 2], "<f4")]: its
    # str is the array's content, its ints are the flags.
    content = (
        b"\x80\x02]q\x00(X\x04\x00\x00\x00wordq\x01U\x04textq\x02"
        b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85q\x05U\x01bq\x06"
        b"\x87q\x07Rq\x08(K\x01K\x02\x85q\tcnumpy\ndtype\nq\nU\x02f4q\x0bK\x00K\x01\x87q\x0cRq\r"
        b"(K\x03U\x01<q\x0eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0fb\x89"
        b"U\x08" + struct.pack("<2f", 1, 2) + b"q\x10tq\x11be."
    )
    assert_same(load_plain(write(tmp_path, content)), ["word", "text", np.float32([1, 2])])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("function", "args", "asked_for"),
    [
        (os.system, ("touch pwned",), "system"),
        (eval, ("open('pwned', 'w')",), "eval"),
        (exec, ("open('pwned', 'w')",), "exec"),
        (open, ("pwned", "w"), "open"),
        (np.load, ("pwned.npy",), "numpy"),
        (np.save, ("pwned", 1), "numpy"),
        (subprocess.Popen, (["touch", "pwned"],), "Popen"),
        (getattr, (os, "system"), ""),
        (__import__, ("os",), "__import__"),
        (pickle.loads, (b"N.",), "loads"),
        (bytearray, (b"x",), "bytearray"),
    ],
)
def test_no_function_is_ever_called(tmp_path, monkeypatch, protocol, function, args, asked_for):
    monkeypatch.chdir(tmp_path)
    args = tuple(arg if not isinstance(arg, type(os)) else "os" for arg in args)
    for hostile in (Runs(function, *args), [1, {"a": (Runs(function, *args),)}]):
        message = refusal(tmp_path, pickle.dumps(hostile, protocol))
        assert "refused, and nothing in it was executed" in message
        assert asked_for in message
    inside = np.array([Runs(function, *args)], dtype=object)
    assert "refused" in refusal(tmp_path, pickle.dumps(inside, protocol))
    assert sorted(os.listdir(tmp_path)) == ["data.pkl"]


def test_no_module_is_imported(tmp_path):
    assert "antigravity.geohash" in refusal(tmp_path, b"cantigravity\ngeohash\n.")
    assert "antigravity" not in sys.modules


def test_objects_of_classes_are_refused(tmp_path):
    assert "Fraction" in refusal(tmp_path, b"\x80\x02cfractions\nFraction\nK\x01\x85\x81.")
    assert "OBJ" in refusal(tmp_path, b"(cnumpy\nndarray\nK\x01o.")
    assert "INST" in refusal(tmp_path, b"(K\x01inumpy\nndarray\n.")
    assert "NEWOBJ" in refusal(tmp_path, b"\x80\x02cnumpy\nndarray\nK\x01\x85\x81.")
    assert "calling" in refusal(tmp_path, b"\x80\x02cnumpy\nndarray\nK\x01\x85R.")


@pytest.mark.parametrize("protocol", [0, 2])
def test_persistent_ids_are_refused(tmp_path, protocol):
    class Persistent(pickle.Pickler):
        def persistent_id(self, value):
            return "somewhere" if value == "elsewhere" else None

    stream = io.BytesIO()
    Persistent(stream, protocol).dump(["elsewhere"])
    assert "PERSID" in refusal(tmp_path, stream.getvalue())


def test_registered_extensions_are_refused(tmp_path):
    copyreg.add_extension("os", "system", 240)
    try:
        assert "EXT1" in refusal(tmp_path, b"\x80\x02\x82\xf0X\x04\x00\x00\x00true\x85R.")
    finally:
        copyreg.remove_extension("os", "system", 240)


def test_the_state_of_what_may_be_named_cannot_be_changed(tmp_path):
    set_attribute = b"N}X\x0c\x00\x00\x00__defaults__(K\x01tstb."
    for named in (b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n"):
        assert "setting the state" in refusal(tmp_path, named + b"(" + set_attribute)
    assert "setting the state" in refusal(tmp_path, b"](N}tb.")


@pytest.mark.parametrize(
    "code", ["O8,f4", "V8", "M8[s]", "f4,i4", "f4, (1000000000,)f4", "S0", "c"]
)
def test_types_other_than_plain_values_are_refused(tmp_path, code):
    text = b"X" + struct.pack("<I", len(code)) + code.encode()
    assert "dtype" in refusal(tmp_path, b"cnumpy\ndtype\n(" + text + b"\x89\x88tR.")


def test_types_with_fields_or_other_sizes_cannot_be_made_by_state(tmp_path):
    fields = (3, "<", None, ("a",), {"a": ("f4", 1000)}, 4, 1, 0)
    assert "with fields" in refusal(tmp_path, bad_state(fields))
    # A size and flags in the pickle are ignored: the type remains a float of 4 bytes.
    content = bad_state((3, "<", None, None, None, 2**30, 1, 63))
    assert load_plain(write(tmp_path, content)).dtype == np.dtype("<f4")


def test_raw_bytes_never_become_object_pointers(tmp_path):
    scalar = b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\x01\x00\x00\x00O\x89\x88tR"
    assert "scalar of objects" in refusal(tmp_path, scalar + b"C\x08AAAAAAAAtR.")
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"
        b"(K\x01(K\x01tcnumpy\ndtype\n(X\x01\x00\x00\x00O\x89\x88tR\x89C\x08AAAAAAAAtb."
    )
    assert "does not fit" in refusal(tmp_path, array)


@pytest.mark.parametrize(
    "shape", [(10**12,), (3,), (-2, -2), (2**63, 2**63), (1.0,), "22", (True,)]
)
def test_an_array_is_as_large_as_its_content(tmp_path, shape):
    content = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"
        b"(K\x01" + pickle.dumps(shape, 0)[:-1] + b"cnumpy\ndtype\n(X\x02\x00\x00\x00f4\x89\x88tR"
        b"\x89C\x08AAAAAAAAtb."
    )
    assert "array" in refusal(tmp_path, content)


def test_announced_sizes_beyond_the_file_are_refused_before_memory_is_taken(tmp_path):
    for instruction in (b"\x8e", b"\x8d", b"\x96"):  # BINBYTES8, BINUNICODE8, BYTEARRAY8
        size = struct.pack("<Q", 2**33)
        assert "not a complete pickle" in refusal(tmp_path, b"\x80\x05" + instruction + size + b"x")
    frame = b"\x80\x04\x95" + struct.pack("<Q", 2**40)
    assert "not a complete pickle" in refusal(tmp_path, frame + b"N.")


def test_a_huge_memo_index_costs_nothing(tmp_path):
    assert load_plain(write(tmp_path, b"Nr\xff\xff\xff\x7f.")) is None


def test_keys_that_take_for_ever_to_hash_are_refused(tmp_path):
    bomb = b"\x80\x02)" + b"2\x86" * 64  # a pair of pairs of pairs ...
    for dict_of in (b"}" + bomb + b"Ns.", b"}(" + bomb + b"Nu.", b"(" + bomb + b"Nd."):
        assert "keys" in refusal(tmp_path, dict_of)


def test_a_truncated_file_is_refused_wherever_it_is_cut(tmp_path):
    content = pickle.dumps([(np.arange(4.0), "words"), {"a": 1}], 4)
    for length in range(1, len(content)):
        refusal(tmp_path, content[:length])


def test_every_single_damaged_byte_gives_data_or_a_clear_error(tmp_path):
    content = pickle.dumps([(np.arange(2.0), "words"), {"a": np.float32(1)}], 4)
    for at in range(len(content)):
        for byte in (0x2E, 0x52, 0xFF):
            damaged = content[:at] + bytes([byte]) + content[at + 1 :]
            try:
                load_plain(write(tmp_path, damaged))
            except DataError as error:
                assert "data.pkl" in str(error)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n  <html>", "web page"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x93NUMPY\x01\x00", ".npy"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"segment,label\n", "found a text file; a list of segments"),
        (b"Dear all,\nfind the data elsewhere.", "found a text file"),
        ("id;text\n".encode("utf-16"), "found a text file"),
        (b"(lp0\nS'cut", "not a complete pickle"),
        (bytes(range(200, 256)), "not a complete pickle"),
    ],
)
def test_what_is_no_pickle_is_called_by_its_name(tmp_path, content, found):
    assert found in refusal(tmp_path, content)


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(DataError, match="absent.pkl: cannot be read"):
        load_plain(tmp_path / "absent.pkl")
    with pytest.raises(DataError, match="expected a file, found a folder"):
        load_plain(tmp_path)


def test_deep_nesting_is_no_problem(tmp_path):
    content = b"]" * 100_000 + b"a" * 99_999 + b"."
    assert len(load_plain(write(tmp_path, content))) == 1


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_are_views_of_the_file_and_small_ones_copies(tmp_path, protocol, order):
    arrays = [np.arange(n * 4.0).reshape(n, 4).copy(order) for n in (2, 300)]
    content = pickle.dumps([*arrays, arrays[1], arrays], protocol)
    small, large, same, again = load_plain(write(tmp_path, content))
    assert large is same is again[1]  # as given
    assert np.array_equal(large, arrays[1])
    assert type(large) is FileArray and isinstance(large, np.ndarray)
    assert type(small) is np.ndarray
    assert not large[0].flags.writeable


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_long_bytes_are_still_bytes_to_whoever_reads_them(tmp_path, protocol):
    short, long = load_plain(write(tmp_path, pickle.dumps([b"x" * 511, b"x" * 5000], protocol)))
    assert short == b"x" * 511
    assert (len(long), long[1:3], bytes(long)) == (5000, b"xx", b"x" * 5000)
    assert long == b"x" * 5000 != long[1:]


def test_an_array_that_holds_itself_is_refused(tmp_path):
    array = np.empty(1, object)
    array[0] = array
    assert "containing itself" in refusal(tmp_path, pickle.dumps(array, 2))


def test_real_mosi_equals_what_pickle_reads(shared):
    path = shared / "mosi" / "misa_dev.pkl"
    assert_same(load_plain(path), pickle.loads(path.read_bytes()))


NAMED_AGAIN = {"memo": b"h\x00", "memo of protocol 1": b"j\x00\x00\x00\x00", "duplicate": b"2"}


@pytest.mark.parametrize("instruction", NAMED_AGAIN.values(), ids=NAMED_AGAIN)
def test_one_long_word_that_is_named_very_often_is_refused_at_once(tmp_path, instruction):
    word = b"\x80\x04X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20) + b"\x94"
    began = time.process_time()
    reason = refusal(tmp_path, word + instruction * 200_000 + b".")
    assert time.process_time() - began < 1
    assert "the same text or content very many times" in reason


def test_short_names_may_be_named_often(tmp_path):
    words = ["visual"] * 200_000
    assert load_plain(write(tmp_path, pickle.dumps(words, 4))) == words


def test_small_files_may_hold_fewer_instructions_than_large_ones(tmp_path):
    many = 1_100_000
    assert "instructions in a file of this size" in refusal(tmp_path, b"]" * many + b".")
    numbers = list(map(float, range(many)))
    assert load_plain(write(tmp_path, pickle.dumps(numbers, 4))) == numbers


def test_the_instructions_of_cmu_mosei_in_one_file_are_allowed():
    assert MOST_INSTRUCTIONS > 4_000_000


def test_keys_whose_hashes_are_all_equal_are_refused_at_once(tmp_path):
    modulus = sys.hash_info.modulus
    content = pickle.dumps({modulus * number: 0 for number in range(1, 2000)}, 4)
    began = time.process_time()
    assert "keys are not names" in refusal(tmp_path, content)
    assert time.process_time() - began < 1
    assert load_plain(write(tmp_path, pickle.dumps({7: "a", -1: "b"}, 4))) == {7: "a", -1: "b"}


@pytest.mark.parametrize("protocol", range(5))
def test_sets_are_read_as_lists(tmp_path, protocol):
    file = tmp_path / "sets.pkl"
    file.write_bytes(pickle.dumps([set(), {"a", "b"}], protocol))
    nothing, both = load_plain(file)
    assert (nothing, sorted(both)) == ([], ["a", "b"])


@pytest.mark.parametrize("hostile", [b"\x80\x04}(K\x01\x90.", b"cbuiltins\nset\n(}tR."])
def test_what_is_no_set_is_not_filled_as_one(tmp_path, hostile):
    file = tmp_path / "sets.pkl"
    file.write_bytes(hostile)
    with pytest.raises(DataError, match="refused"):
        load_plain(file)
