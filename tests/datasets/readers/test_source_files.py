"""The files that a corpus is read from."""

import pytest

from mmf_cmsbert.datasets.readers.source_files import files_of


@pytest.fixture
def touch(tmp_path):
    def touch(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return touch


def names(root, *paths):
    return [str(f.relative_to(root)) for f in files_of([root / p for p in paths], "val")]


def test_a_file_is_itself(touch):
    root = touch("train.pkl", "dev.pkl")
    assert names(root, "dev.pkl", "train.pkl") == ["dev.pkl", "train.pkl"]


def test_a_plain_folder_is_its_list_and_its_features(touch):
    files = ["segments.jsonl", "visual/b.npy", "visual/c.npz", "acoustic/b.npy"]
    root = touch(*(f"own/{file}" for file in files), "own/film.mp4", "own/visual/notes.txt")
    assert names(root, "own") == [f"own/{file}" for file in files]
    assert names(root, "own/segments.jsonl") == [f"own/{file}" for file in files]


def test_a_folder_of_computational_sequences(touch):
    root = touch("csd/words.csd", "csd/labels.csd", "csd/README")
    assert names(root, "csd") == ["csd/labels.csd", "csd/words.csd"]


def test_a_store_is_its_manifest(touch):
    root = touch("s/train/manifest.json", "s/val/manifest.json", "s/val/segments.arrow")
    assert names(root, "s") == ["s/val/manifest.json"]
    assert names(root, "s/val") == ["s/val/manifest.json"]
