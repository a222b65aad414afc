"""Pipes and devices are refused immediately by every command that reads a file or folder."""

import os
import shutil
import signal

import pytest

from mmf_cmsbert.checkpoints import file as checkpoint_file
from mmf_cmsbert.config import completion
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.paths import PACKAGE
from mmf_cmsbert.processors.word_pieces import load_encoder
from mmf_cmsbert.records import record


@pytest.fixture(params=["pipe", "link to a device"])
def path(request, tmp_path):
    path = tmp_path / "given"
    if request.param == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    previous = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it hangs"))
    signal.alarm(20)
    yield path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize(
    "read",
    [
        read_yaml,
        lambda path: completion.config_file(str(path)),
        lambda path: recipe.find(str(path)),
        record.read,
        checkpoint_file.read,
        lambda path: load_backbone(str(path)),
        lambda path: load_encoder(str(path), 20, "key"),
    ],
    ids=["YAML", "config", "recipe", "run.json", "checkpoint", "backbone", "tokenizer"],
)
def test_a_path(path, read):
    with pytest.raises(UserError, match="given: expected a file, found a (named pipe|character)"):
        read(path)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("config.json", lambda folder: load_backbone(str(folder))),
        ("config.json", lambda folder: load_backbone(from_config=str(folder))),
        ("model.safetensors", lambda folder: load_backbone(str(folder))),
        ("tokenizer.json", lambda folder: load_encoder(str(folder), 20, "key")),
        ("tokenizer_config.json", lambda folder: load_encoder(str(folder), 20, "key")),
        ("run.json", record.read),
    ],
)
def test_a_file_of_a_folder(path, tmp_path, name, read):
    folder = tmp_path / "folder"
    shutil.copytree(PACKAGE / "projects" / "cmsbert" / "demo", folder)
    (folder / name).unlink(missing_ok=True)
    path.rename(folder / name)
    with pytest.raises(UserError, match=f"{name}: expected a file, found a (named pipe|character)"):
        read(folder)
