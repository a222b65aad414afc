import os

import numpy as np

from mmf_cmsbert.sharding import identity
from mmf_cmsbert.sharding.identity import Identity, identify


def test_a_folder_whose_files_have_changed_is_another_input(tmp_path):
    (tmp_path / "segments.jsonl").write_text("{}")
    before = identify(tmp_path)
    assert identify(tmp_path) == before
    (tmp_path / "segments.jsonl").write_text("{} {}")
    assert identify(tmp_path) != before


def test_a_file_is_hashed_again_only_if_it_was_touched(tmp_path):
    file = tmp_path / "a.parquet"
    file.write_text("a")
    found = identify(file)
    claimed = Identity("earlier", found.size, found.mtime_ns)
    assert identify(file, claimed).content == "earlier"
    os.utime(file, ns=(0, 0))
    assert identify(file, claimed).content == found.content


def test_feature_files_belong_to_the_list_beside_them(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}")
    alone = identify(tmp_path / "a.jsonl")
    (tmp_path / "visual").mkdir()
    np.save(tmp_path / "visual" / "s.npy", np.zeros(3))
    identity._of_features.cache_clear()
    assert identify(tmp_path / "a.jsonl", alone).content != alone.content
