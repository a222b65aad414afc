"""A file of any layout that is truncated or overwritten while it is read causes one message."""

import os
import pickle
from functools import partial

import numpy as np
import pytest
import written_layouts
from children import outcomes
from targets import corpus

from mmf_cmsbert.datasets import conversion
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source

COUNT = 24


def mmsa_by_columns(folder, segments):
    """Return an MMSA pickle whose frames have the segments as the last axis."""
    content = {
        name: written_layouts.mmsa_split(own, lengths=True)
        for name, own in zip(("train", "valid", "test"), segments.values(), strict=True)
    }
    for split in content.values():
        split["vision"] = np.asfortranarray(split["vision"])
    (folder / "unaligned_50.pkl").write_bytes(pickle.dumps(content, 4))


WIDE = partial(corpus, COUNT, widths=(100, 100))
SOURCES = {
    "misa": lambda folder: written_layouts.write_misa(folder, WIDE()),
    "mag": lambda folder: written_layouts.write_mag(folder, WIDE()),
    "mmsa": lambda folder: written_layouts.write_mmsa(folder, WIDE(), lengths=True),
    "mmsa by columns": lambda folder: mmsa_by_columns(folder, WIDE()),
    "csd": lambda folder: written_layouts.write_csd(folder, WIDE()),
    "JSON lines and .npy": lambda folder: written_layouts.write_folder(folder, WIDE(), "jsonl"),
    "CSV and .npy": lambda folder: written_layouts.write_folder(folder, WIDE(), "csv"),
}


def cut(path):
    os.truncate(path, os.path.getsize(path) // 4)


def empty(path):
    os.truncate(path, 0)


def overwrite(path):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.write(b"\xff" * size)


@pytest.fixture(params=SOURCES.values(), ids=SOURCES)
def source(request, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    request.param(folder)
    return folder


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("change", [cut, empty, overwrite])
def test_conversion_is_refused_and_leaves_nothing(source, tmp_path, change, monkeypatch):
    real = conversion.usable

    def changed_after_the_first(segments, *args):
        for number, segment in enumerate(real(segments, *args)):
            yield segment
            if number == 0:
                for path in files_in(source):
                    change(path)

    monkeypatch.setattr(conversion, "usable", changed_after_the_first)
    files = find_source([source]).files["train"]
    settings = conversion.ConversionSettings("mosi", labelled=True)
    store = tmp_path / "store"
    run = lambda _: conversion.convert(files, "train", settings, store) and "read"  # noqa: E731
    assert list(outcomes([0], run)) == [(0, "refused")]
    assert [each for each in tmp_path.iterdir() if each != source] == []


@pytest.mark.parametrize("change", [cut, empty, overwrite])
def test_frames_are_never_wrong_in_silence(source, change):
    """Reading segments without converting them gives correct segments or an error."""
    files = find_source([source]).files["train"]
    read = partial(read_files, files, "train", alignment="none")
    expected = {each.id: each for each in read()}

    def run(_):
        for number, segment in enumerate(read()):
            if number == 0:
                for path in files_in(source):
                    change(path)
            if isinstance(segment, Exception):
                raise segment
            wanted = expected[segment.id]
            assert np.array_equal(segment.frames["visual"], wanted.frames["visual"])
            assert segment.label == wanted.label
        return "read"

    assert dict(outcomes([0], run))[0] in ("refused", "read")
