"""Mutate files: at random, truncated, spliced, and with calls that would create a canary file."""

import io
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import torch

# Lengths, offsets and counts in files.
_NUMBERS = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
]
_WORDS = [
    b"null", b"-1", b"1e999", b"9" * 400, b"NaN", b"{}", b"[" * 60, b'"', b"\n", b"\0", b"\xff\xfe",
    b"&a [*a]", b"*a", b"<<: *a", b"${training}", b"${env:HOME}", b"${oc.env:HOME}", b",", b";",
    b"includes: [mosi.yaml]", b"../../../../etc/passwd", b"\xf0\x9f\x98\x80", b"\xe2\x80\x8b",
    b"\t", b": ", b"- ", b"0x10",
]  # fmt: skip


class _Touches:
    """An object that is pickled as a call that creates the canary."""

    def __init__(self, canary: Path):
        self._canary = canary

    def __reduce__(self):
        return os.system, (f"touch '{self._canary}'",)


def mutate(rng: random.Random, path: Path, others: list[bytes], canary: Path) -> str:
    """Change a file, and return a description."""
    content = path.read_bytes()
    if rng.random() < 0.01:
        path.unlink()
        os.mkfifo(path)
        return "a pipe"
    if rng.random() < 0.12:
        name, changed = _hostile(rng, content, canary)
        path.write_bytes(changed)
        return name
    names = []
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        change = rng.choice(_CHANGES)
        content = change(rng, content, others)
        names.append(change.__name__.strip("_"))
    path.write_bytes(content)
    return " + ".join(names)


def _bits(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if changed:
            changed[_place(rng, changed)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _noise(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    at, size = _place(rng, content), rng.choice([1, 4, 16, 64, 512])
    return content[:at] + rng.randbytes(size) + content[at + size :]


def _zeros(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    at, size = _place(rng, content), rng.choice([1, 8, 64, 4096])
    return content[:at] + bytes(min(size, len(content) - at)) + content[at + size :]


def _number(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    size = rng.choice([1, 2, 4, 8])
    number = rng.choice(_NUMBERS) % (1 << 8 * size)
    at = _place(rng, content)
    return (
        content[:at] + number.to_bytes(size, rng.choice(["little", "big"])) + content[at + size :]
    )


def _word(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    at = _place(rng, content)
    return content[:at] + rng.choice(_WORDS) + content[at + rng.choice([0, 1, 8]) :]


def _cut(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    return content[: _place(rng, content)]


def _removed(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    at = _place(rng, content)
    return content[:at] + content[at + rng.choice([1, 2, 8, 100]) :]


def _repeated(rng: random.Random, content: bytes, _: list[bytes]) -> bytes:
    at = _place(rng, content)
    block = content[at : at + rng.choice([1, 8, 64, 1000])]
    return content[:at] + block * rng.choice([2, 3, 1000]) + content[at:]


def _spliced(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    other = rng.choice(others)
    return content[: _place(rng, content)] + other[_place(rng, other) :]


def _exchanged(rng: random.Random, _: bytes, others: list[bytes]) -> bytes:
    return rng.choice(others)


def _place(rng: random.Random, content: bytes | bytearray) -> int:
    """Return a position, more often near the start and the end, where structures are."""
    size = len(content)
    near = rng.choice([size, size, min(size, 200), min(size, 40)])
    place = rng.randrange(near) if near else 0
    return place if rng.random() < 0.7 or not size else size - 1 - place


_CHANGES: list[Callable[[random.Random, bytes, list[bytes]], bytes]] = [
    _bits, _bits, _bits, _noise, _zeros, _number, _number, _word, _word, _cut, _removed, _repeated,
    _spliced, _exchanged,
]  # fmt: skip


def _hostile(rng: random.Random, content: bytes, canary: Path) -> tuple[str, bytes]:
    touches = _Touches(canary)
    call = pickle.dumps(touches, rng.randrange(6))
    kind = rng.randrange(6)
    if kind == 0:
        return "a pickle that calls", call
    if kind == 1:
        return "a list that calls", pickle.dumps([touches, 1], rng.randrange(6))
    if kind == 2:  # possible starts of instructions
        at = rng.choice([2, 11, _place(rng, content)])
        return "a call inside", content[:at] + call[2:-1] + content[at:]
    if kind == 3:
        names = [
            b"numpy.core.multiarray",
            b"numpy._core.multiarray",
            b"torch._utils",
            b"collections",
        ]
        for name in names:
            content = content.replace(name + b"\n", b"posix\n").replace(
                name, b"posix".ljust(len(name))
            )
        return "another module", content
    if kind == 4:
        stream = io.BytesIO()
        torch.save({"model": touches}, stream, _use_new_zipfile_serialization=rng.random() < 0.5)
        return "a checkpoint that calls", stream.getvalue()
    tag = f'!!python/object/apply:os.system ["touch {canary}"]'.encode()
    return "a tag that calls", content + b"\nx: " + tag + b"\n"
