"""Python's standard library in MMF's imports."""

import os

from mmf_cmsbert.compat.libraries import stdlib


def test_rc10_sees_its_own_files_without_the_folders_above(tmp_path):
    package = tmp_path / "models" / "trainers" / "mmf"
    for name in ("utils/env.py", "datasets/builders/vqa2/builder.py", "trainers/base_trainer.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    root = os.path.join(package, "utils", "..")
    found = stdlib.below_mmf(os.path.join(root, "datasets", "**", "*.py"), recursive=True)
    assert found == [os.path.join("mmf", "datasets", "builders", "vqa2", "builder.py")]


def test_the_layer_steps_in_where_the_folders_above_would_mislead_it():
    assert stdlib.misread("/home/me/models/.venv/lib/python3.11/site-packages/mmf/__init__.py")
    assert not stdlib.misread("/home/me/.venv/lib/python3.11/site-packages/mmf/__init__.py")


def test_other_files_keep_their_paths(tmp_path):
    (tmp_path / "a.ckpt").touch()
    assert stdlib.below_mmf(str(tmp_path / "*.ckpt")) == [str(tmp_path / "a.ckpt")]
