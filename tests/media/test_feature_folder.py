import json

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.media import jobs
from mmf_cmsbert.media.feature_folder import FeatureFolder
from mmf_cmsbert.media.jobs import Clip, Settings, extract_all


@pytest.fixture
def clips(tmp_path):
    found = []
    for name in ("one", "two"):
        (tmp_path / f"{name}.mp4").write_text(name)
        found.append(Clip(name, tmp_path / f"{name}.mp4"))
    return found


def run(clips, folder, extractors):
    features = FeatureFolder(folder)
    features.begin(extractors.card(30.0), [clip.name for clip in clips])
    found = list(extract_all(clips, features, Settings(), extractors))
    features.finish(clip.name for clip in clips)
    return found


def test_the_folder_is_read_as_a_corpus(tmp_path, clips, made_up, extractors):
    run(clips, tmp_path / "out", extractors)
    found = list(read_files([tmp_path / "out"], "test"))
    assert [each.id for each in found] == ["one_000", "one_001", "two_000", "two_001"]
    segment = found[1]
    assert (segment.video, segment.start, segment.end) == ("one", 1.5, 3.4)
    assert segment.words == ("It", "is", "not", "bad.")
    assert segment.frames["visual"].shape == (19, 1) and segment.frames["acoustic"].shape == (19, 1)
    assert segment.metadata["word_times"][0] == [1.5, 1.9]
    card = json.loads((tmp_path / "out/extractors.json").read_text())
    assert card["acoustic"]["name"] == "level" and card["visual"]["rate"] == 30.0


def test_a_finished_clip_is_not_extracted_again_and_a_changed_one_is(
    tmp_path, clips, made_up, extractors, monkeypatch
):
    run(clips, tmp_path / "out", extractors)
    before = (tmp_path / "out/segments.jsonl").read_text()
    clips[1].file.write_text("changed")
    extracted = []
    real = jobs.extract
    monkeypatch.setattr(jobs, "extract", lambda *a: extracted.append(a[0].name) or real(*a))
    run(clips, tmp_path / "out", extractors)
    assert extracted == ["two.mp4"]
    assert (tmp_path / "out/segments.jsonl").read_text() == before


def test_a_clip_that_fails_is_named_and_the_others_are_extracted(
    tmp_path, clips, made_up, extractors, monkeypatch
):
    real = jobs.extract

    def fail(file, *rest):
        if file.name == "one.mp4":
            raise DataError("one.mp4: damaged")
        return real(file, *rest)

    monkeypatch.setattr(jobs, "extract", fail)
    one, two = run(clips, tmp_path / "out", extractors)
    assert one.error == "one.mp4: damaged" and two.error is None
    assert len((tmp_path / "out/segments.jsonl").read_text().splitlines()) == 2
    monkeypatch.setattr(jobs, "extract", real)
    assert [each.segments for each in run(clips, tmp_path / "out", extractors)] == [2, 2]


def test_features_of_other_extractors_or_clips_are_not_mixed(tmp_path, clips, made_up, extractors):
    run(clips, tmp_path / "out", extractors)
    with pytest.raises(ConfigError, match="clips that the input does not name: two"):
        run(clips[:1], tmp_path / "out", extractors)
    type(extractors.voice).columns = ("other",)
    try:
        with pytest.raises(ConfigError, match="features of other extractors or versions"):
            run(clips, tmp_path / "out", extractors)
    finally:
        type(extractors.voice).columns = ("level",)
    (tmp_path / "else").mkdir()
    (tmp_path / "else/notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds notes.txt, which cmsbert features did not write"):
        run(clips, tmp_path / "else", extractors)


def test_features_are_the_same_to_the_last_bit(tmp_path, clips, made_up, extractors):
    for name in ("a", "b"):
        run(clips, tmp_path / name, extractors)
    for file in sorted((tmp_path / "a").rglob("*.npy")):
        other = np.load(tmp_path / "b" / file.relative_to(tmp_path / "a"))
        assert np.array_equal(np.load(file), other)
