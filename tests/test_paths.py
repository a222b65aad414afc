"""Resolution of relative paths."""

from mmf_cmsbert.paths import PACKAGE, find


def test_the_working_folder_comes_before_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = find("projects/cmsbert/demo/vocab.txt")
    assert shipped == PACKAGE / "projects/cmsbert/demo/vocab.txt"
    own = tmp_path / "projects/cmsbert/demo/vocab.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    assert find("projects/cmsbert/demo/vocab.txt") == own


def test_an_absolute_path_stands_for_itself(tmp_path):
    assert find(tmp_path) == tmp_path


def test_nothing_is_found_where_nothing_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find("bert-base-uncased") is None
    assert find(tmp_path / "absent") is None
