"""Audio and video files beside segments are reported."""

import json

import pytest

from mmf_cmsbert.datasets.inspection.inspection import inspect_source
from mmf_cmsbert.datasets.readers.media_files import media_in
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name in ("clip_0.wav", "video/clip_0.MP4", "Raw/a/0001.mkv", ".hidden/x.wav", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"RIFF")
    return tmp_path


def test_media_are_found_in_folders_and_beside_files(folder):
    assert [f.name for f in media_in([folder])] == ["clip_0.wav", "0001.mkv", "clip_0.MP4"]
    assert [f.name for f in media_in([folder / "notes.txt"])] == ["clip_0.wav"]


def test_an_inspection_names_them_and_what_extracts_features(folder):
    rows = [{"id": f"clip_{i}", "text": "good", "split": "train", "mood": "x"} for i in range(3)]
    (folder / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = inspect_source(find_source([folder]))
    findings = "\n".join(report["findings"])
    assert "3 media files are not read (clip_0.wav, 0001.mkv, clip_0.MP4)" in findings
    for tool in ("openSMILE", "MediaPipe", "MMSA-FET"):
        assert tool in findings
    assert "1 column kept as metadata, not used in training: mood" in findings
    assert "train: 3 segments whose ids name no video" in findings
    assert report["splits"]["train"]["videos"] == 3


def test_a_media_file_and_a_folder_of_them_are_no_corpus(folder):
    with pytest.raises(
        DataError, match="clip_0.wav: a media file; only features are read.*openSMILE"
    ):
        find_source([folder / "clip_0.wav"])
    with pytest.raises(DataError, match="no corpus in this folder.*1 media file is not read"):
        find_source([folder / "Raw"])
