"""Damaged and hostile checkpoints are refused before torch allocates or executes anything."""

import io
import os
import pickle
import random
import resource
import struct
import zipfile
from collections import OrderedDict
from contextlib import suppress

import pytest
import torch

from mmf_cmsbert.checkpoints import file as checkpoint_file
from mmf_cmsbert.errors import UserError


def contents():
    network = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7))
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.randn(4, 5)).sum().backward()
    optimizer.step()
    return {
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "config": {"a": [1, 2.5, None, "x", b"yy", True, 2**70]},
        "expanded": torch.arange(3).expand(1, -1),
        "part": torch.arange(10)[3:7],
        "half": torch.ones(3, dtype=torch.bfloat16),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "empty": torch.zeros(0, 3),
        "size": torch.Size([1, 2]),
    }


def saved(value, zipped=True):
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def read(data):
    return checkpoint_file.read(io.BytesIO(bytes(data)))


def same(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_is_read(zipped):
    value = contents()
    assert same(read(saved(value, zipped)), value)


def test_one_flipped_bit_in_the_weights_is_found():
    value = contents()
    data = bytearray(saved(value))
    place = data.index(value["model"]["0.weight"].numpy().tobytes())
    for byte in range(0, 140, 10):
        data[place + byte] ^= 1
        with pytest.raises(UserError, match="damaged.*CRC"):
            read(data)
        data[place + byte] ^= 1
    assert same(read(data), value)


def mutated(data, draw):
    data, place = bytearray(data), draw.randrange(len(data))
    match draw.randrange(4):
        case 0:
            data[place] ^= 1 << draw.randrange(8)
        case 1:
            del data[place:]
        case 2:
            del data[place]
        case 3:
            data[place : place + draw.randrange(1, 9)] = draw.randbytes(4)
    return data


@pytest.mark.slow
def test_damage_is_an_error_or_changes_nothing():
    value, draw = contents(), random.Random(0)
    data = saved(value)
    for _ in range(1000):
        try:
            found = read(mutated(data, draw))
        except UserError:
            continue
        assert same(found, value)


@pytest.mark.slow
def test_each_single_bit_counts_or_changes_nothing():
    value = {"model": OrderedDict(weight=torch.arange(6.0)), "num_updates": 7}
    data = bytearray(saved(value))
    for place in range(len(data) * 8):
        data[place // 8] ^= 1 << place % 8
        with suppress(UserError):
            assert same(read(data), value), f"bit {place % 8} of byte {place // 8}"
        data[place // 8] ^= 1 << place % 8


@pytest.mark.slow
def test_damage_in_the_format_without_checksums_is_never_another_error():
    data, draw = saved(contents(), zipped=False), random.Random(0)
    for _ in range(1000):
        try:
            read(mutated(data, draw))
        except UserError as error:
            assert "Traceback" not in str(error)


def test_a_byte_missing_anywhere_in_the_format_without_checksums_changes_nothing():
    value = {"model": {"weight": torch.arange(40.0)}}
    data = saved(value, zipped=False)
    for place in range(0, len(data), 3):
        try:
            assert same(read(data[:place] + data[place + 1 :]), value)
        except UserError as error:
            assert "The checkpoint given" in str(error)


class Asks:
    """An object that is pickled as a function call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def tensor(elements, sizes, strides=None, offset=0, key="0"):
    """Return a pickle of a tensor of ``sizes`` whose storage claims ``elements`` floats."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if value == "STORAGE":
                return ("storage", torch.FloatStorage, key, "cpu", elements)
            return None

    stream = io.BytesIO()
    strides = (1,) * len(sizes) if strides is None else strides
    rebuilt = Asks(torch._utils._rebuild_tensor_v2, "STORAGE", offset, sizes, strides, False, None)
    Pickler(stream, protocol=2).dump({"model": {"weight": rebuilt}})
    return stream.getvalue()


def archive(program, storage=bytes(16), compression=zipfile.ZIP_STORED, name="data.pkl"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        file.writestr(f"a/{name}", program)
        file.writestr("a/byteorder", "little")
        file.writestr("a/data/0", storage)
        file.writestr("a/version", "3\n")
    return stream.getvalue()


def test_an_archive_of_the_right_form_is_read():
    assert read(archive(tensor(4, (2, 2), (2, 1))))["model"]["weight"].shape == (2, 2)


HUGE = 10**12
HOSTILE = {
    "a storage that claims more than its record has": archive(tensor(HUGE, (HUGE,))),
    "a tensor beyond its storage": archive(tensor(4, (HUGE,))),
    "an offset beyond the storage": archive(tensor(4, (1,), offset=4)),
    "a negative size": archive(tensor(4, (-1,))),
    "a negative stride": archive(tensor(4, (2,), (-1,), offset=2)),
    "an expanded tensor of absurd size": archive(tensor(4, (HUGE,), (0,))),
    "a storage that is not there": archive(tensor(4, (4,), key="1")),
    "compressed zeros": archive(tensor(4, (4,)), bytes(1 << 20), zipfile.ZIP_DEFLATED),
    "an archive of something else": archive(b"", name="word/document.xml"),
    "an absurd bytearray": archive(b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\0\0\0\0\1\x85R."),
    "keys whose hash never ends": archive(b"\x80\x02}))" + b"\x86q\0h\0h\0" * 60 + b"\x86Ns."),
    "a memo of absurd index": archive(b"\x80\x02]r\xff\xff\xff\xff."),
    "text of absurd length": archive(b"\x80\x02X\xff\xff\xff\xff."),
    "millions of lists": archive(b"\x80\x02](" + b"]" * 3_000_000 + b"e."),
    "a list in itself": archive(b"\x80\x02]q\0h\0a."),
    "a state for a function": archive(b"\x80\x02ctorch\nload\n}b."),
    "no format at all": b"\x00" * 100,
    "an empty file": b"",
    "the magic number alone": pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2),
    "a storage of absurd size without an archive": b"".join(
        pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, {})
    )
    + tensor(HUGE, (HUGE,))
    + pickle.dumps(["0"], protocol=2)
    + struct.pack("<q", HUGE),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_with_little_memory(what):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        found = read(HOSTILE[what])
    except UserError as error:
        assert "checkpoint given" in str(error)
    else:  # only torch's content decides which of them
        assert what in ("a list in itself", "a memo of absurd index")
        assert isinstance(found, list)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_newer_format_is_refused():
    with pytest.raises(UserError, match=r"has cmsbert_format 99; this version .* 1 to 3"):
        read(saved({"model": {}, "cmsbert_format": 99}))


def test_a_checkpoint_without_a_format_is_of_the_first():
    assert read(saved({"model": {}})) == {"model": {}}


def test_a_named_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.ckpt")
    (tmp_path / "link.ckpt").symlink_to("pipe.ckpt")
    for path in (tmp_path / "pipe.ckpt", tmp_path / "link.ckpt"):
        with pytest.raises(UserError, match=r"\.ckpt: expected a file, found a named pipe"):
            checkpoint_file.read(path)
    for path, found in ((tmp_path, "a folder"), ("/dev/zero", "a character device")):
        with pytest.raises(UserError, match=found):
            checkpoint_file.read(path)
    with pytest.raises(UserError, match="none.ckpt cannot be read"):
        checkpoint_file.read(tmp_path / "none.ckpt")
