"""Whether two folders hold the same tokenizer and architecture."""

import errno
import json
import shutil

import pytest

from mmf_cmsbert.config import backbone_files
from mmf_cmsbert.config.backbone_files import same_pretrained
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.paths import PACKAGE

DEMO = PACKAGE / "projects" / "cmsbert" / "demo"


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(DEMO, tmp_path / "copy")


def test_a_copy_elsewhere_is_the_same(copy):
    assert same_pretrained(str(DEMO), str(copy))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"transformers_version": "9"}))
    assert same_pretrained("projects/cmsbert/demo", str(copy))


def test_other_words_or_another_architecture_are_not(copy):
    words = (copy / "vocab.txt").read_text().splitlines()
    words[-1], words[-2] = words[-2], words[-1]
    (copy / "vocab.txt").write_text("\n".join(words))
    assert not same_pretrained(str(DEMO), str(copy))
    shutil.copy(DEMO / "vocab.txt", copy)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    assert not same_pretrained(str(DEMO), str(copy))


@pytest.mark.parametrize(
    "content", [f"[{'{},' * (20 << 18)}{{}}]", " " * (1 << 24) + "{}"], ids=["objects", "bytes"]
)
def test_an_architecture_that_takes_too_much_memory_is_refused(copy, content):
    (copy / "config.json").write_text(content)
    with pytest.raises(DataError, match="config.json: (JSON of|larger than)"):
        same_pretrained(str(DEMO), str(copy))


@pytest.mark.parametrize("content", ["[1]", "null", "{", "[" * 100_000])
def test_an_architecture_that_is_none_is_another(copy, content):
    (copy / "config.json").write_text(content)
    assert not same_pretrained(str(DEMO), str(copy))


def test_a_file_that_cannot_be_read_is_named(copy, monkeypatch):
    def denied(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(backbone_files, "sha256_of", denied)
    with pytest.raises(DataError, match="vocab.txt: cannot be read .Permission denied"):
        same_pretrained(str(DEMO), str(copy))


def test_what_is_not_on_this_machine_cannot_be_compared(copy):
    assert same_pretrained("/of/another/machine", str(copy))
