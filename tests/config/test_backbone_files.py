"""Whether two folders hold the same tokenizer and architecture."""

import json
import shutil

import pytest

from mmf_cmsbert.config.backbone_files import same_pretrained
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


def test_what_is_not_on_this_machine_cannot_be_compared(copy):
    assert same_pretrained("/of/another/machine", str(copy))
