"""Small pickles that would need much memory or time are read within limits, or refused."""

import pickle
import time

import numpy as np
import pytest
from children import outcomes

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.unpickler import load_plain

MB = 1 << 20


def array(code, shape, content):
    """Return a pickle of an array with a type, a shape and bytes."""
    plain = b"cnumpy\ndtype\n(X" + len(code).to_bytes(4, "little") + code + b"\x89\x88tR"
    sizes = b"(" + b"".join(pickle.dumps(size, 2)[2:-1] for size in shape) + b"t"
    size = len(content).to_bytes(4, "little")
    head = b"\x80\x05cnumpy._core.numeric\n_frombuffer\n(B" + size + content
    return head + plain + sizes + b"X\x01\x00\x00\x00CtR."


def texts(each, size):
    return b"\x80\x04](" + each * (size // len(each)) + b"e."


def short(text):
    content = text.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes([len(content)]) + content


def laughs(depth):
    """Return nested lists, each with the same list ten times."""
    content = b"\x80\x04](" + b"N" * 10 + b"e\x94"
    for number in range(depth):
        content += b"](" + 10 * (b"j" + number.to_bytes(4, "little")) + b"e\x94"
    return content + b"."


FUNCTION = b"\x80\x02c_codecs\nencode\nq\x00"
LONG_TEXT = b"(X\x00\x00\x10\x00" + b"a" * MB + b"X\x06\0\0\0latin1tq\x01"
REFUSED = {
    "lists of lists of the same": laughs(40),
    "a list in itself, named again": b"\x80\x04]\x94h\x00ah\x00\x86.",
    "a type of huge text": array(b"U999999999", (1,), b"x" * 600),
    "a shape larger than its content": array(b"f4", (2**40, 2**40), b"x" * 600),
    "a shape of no size": array(b"f4", (2**62, 0, 2**62), b""),
    "a shape below zero": array(b"f4", (-1, -150), b"x" * 600),
    "an encoded text, many times": FUNCTION + LONG_TEXT + b"h\x00h\x01R" * 500 + b".",
    "a text of one wide character": b"\x80\x04X"
    + (8 * MB).to_bytes(4, "little")
    + b"a" * (8 * MB - 3)
    + "漢".encode()
    + b".",
    "an escaped text of one wide character": b"V" + b"a" * 8 * MB + b"\\u6f22\n.",
    "a name as long as a book": pickle.dumps({"a" * 2 * MB: 1}, 4),
    "more instructions than a file of its size has": texts(b"N", 8 * MB),
    "a dict of long numbers": pickle.dumps({2**70 * n: n for n in range(3)}, 4),
    "a decimal number of many digits": b"I" + b"9" * MB + b"\n.",
    "a text announced longer than the file": b"\x80\x04X\xff\xff\xff\x7fabc.",
    "a number announced longer than the file": b"\x80\x04\x8b\xff\xff\xff\x7fabc.",
    "old text announced longer than the file": b"\x80\x04T\xff\xff\xff\x7fabc.",
}
READ = {
    "deep lists": b"]" * 400_000 + b"a" * 399_999 + b".",
    "deep tuples": b"\x80\x04)" + b"\x85" * 400_000 + b".",
    "short texts beyond ASCII": texts(short("éàüö"), MB),
    "short texts beyond Unicode": texts(short("\ud800"), MB),
    "a hexadecimal number of many digits": b"I0x" + b"9" * MB + b"\n.",
    "a decimal fraction of many digits": b"F1." + b"9" * MB + b"\n.",
    "a huge index of the memo": b"Nr\xff\xff\xff\x7f.",
}


def outcome(path):
    ((_, found),) = outcomes([0], lambda _: load_plain(path) is None or "read")
    return "read" if found is True else found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        *((each, "refused") for each in REFUSED.values()),
        *((each, "read") for each in READ.values()),
    ],
    ids=[*REFUSED, *READ],
)
def test_within_a_gib_and_some_seconds(tmp_path, content, expected):
    path = tmp_path / "data.pkl"
    path.write_bytes(content)
    began = time.monotonic()
    assert outcome(path) == expected
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("words", [["\u200b" * 1000], "\u200b" * 1000, ["word"] * 1000])
def test_one_entry_that_is_named_very_often(tmp_path, words):
    """Only a limited number of faults is reported."""
    frames = np.zeros((1, 5), np.float32)
    entry = ((words, frames, frames), "no label", "a[0]")
    path = tmp_path / "train.pkl"
    path.write_bytes(pickle.dumps([entry] * 50_000, 4))
    read = lambda _: str(len(list(read_files([path], "train"))))  # noqa: E731
    ((_, found),) = outcomes([0], read)
    assert found == "refused"


@pytest.mark.slow
@pytest.mark.parametrize("size", [33 * MB, 100 * MB])
@pytest.mark.parametrize("each", [b"N", short("é"), short("\ud800"), b"V\\u4e00\n"])
def test_large_ones(tmp_path, each, size):
    path = tmp_path / "data.pkl"
    path.write_bytes(texts(each, size))
    assert outcome(path) == "refused"
