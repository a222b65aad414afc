"""Pipes, devices and sockets are refused immediately instead of data files."""

import os
import signal

import numpy as np
import pytest
import written_layouts

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.errors import UserError

CORPUS = {
    split: written_layouts.make_segments(np.random.default_rng(0), split)
    for split in written_layouts.SPLITS
}
WRITTEN = {
    "misa": lambda folder: written_layouts.write_misa(folder, CORPUS),
    "mag": lambda folder: written_layouts.write_mag(folder, CORPUS),
    "mmsa": lambda folder: written_layouts.write_mmsa(folder, CORPUS, True),
    "csd": lambda folder: written_layouts.write_csd(folder, CORPUS),
    "jsonl": lambda folder: written_layouts.write_folder(folder, CORPUS, "jsonl"),
    "csv": lambda folder: written_layouts.write_folder(folder, CORPUS, "csv"),
}
FILES = {
    "misa": ["train.pkl"],
    "mag": ["mag.pkl"],
    "mmsa": ["mmsa_True.pkl"],
    "csd": ["CMU_MOSI_words.csd", "CMU_MOSI_FACET_4.1.csd"],
    "jsonl": ["segments.jsonl", f"visual/{CORPUS['train'][0].id}.npy"],
    "csv": ["segments.csv", f"acoustic/{CORPUS['train'][0].id}.npz"],
    "store": ["segments.arrow", "manifest.json"],
}


@pytest.fixture(autouse=True)
def at_once():
    """Fail a test that hangs."""
    previous = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it hangs"))
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(params=["pipe", "link to a device"])
def exchanged(request):
    """Create a path that is not a regular file."""

    def exchange(path):
        path.unlink()
        if request.param == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
        return "a named pipe" if request.param == "pipe" else "a character device"

    return exchange


@pytest.mark.parametrize(
    ("layout", "name"), [(layout, name) for layout in FILES for name in FILES[layout]]
)
def test_in_every_layout(tmp_path, exchanged, layout, name):
    settings, folder = ConversionSettings("mosi"), tmp_path / "data"
    if layout == "store":
        mag = written_layouts.write_mag(tmp_path, CORPUS)["train"]
        convert([mag], "train", settings, folder)
        source = folder
    else:
        source = WRITTEN[layout](folder)["train"]
    kind = exchanged(folder / name)
    message = f"{name.replace('[', '.')[:24]}.*expected a file, found {kind}"
    with pytest.raises(UserError, match=message):
        convert([source], "train", settings, tmp_path / "made")
    with pytest.raises(UserError, match=f"found {kind}"):
        for path in sum(find_source([source]).files.values(), []):
            convert([path], "train", settings, tmp_path / "made")


def test_a_vocabulary(tmp_path, exchanged):
    mmsa = written_layouts.write_mmsa(tmp_path, CORPUS, True)["train"]
    (tmp_path / "vocab.txt").write_text("[PAD]\n")
    kind = exchanged(tmp_path / "vocab.txt")
    settings = ConversionSettings("mosi", vocabulary=tmp_path / "vocab.txt")
    with pytest.raises(UserError, match=f"vocab.txt: expected a file, found {kind}"):
        convert([mmsa], "train", settings, tmp_path / "made")
