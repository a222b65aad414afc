import pytest

from mmf_cmsbert.commands.clips import find_clips
from mmf_cmsbert.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name in ("a.mp4", "b.wav", "sub/a.mp4", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def table(folder, *rows):
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "labels.csv"


def test_media_files_are_found_at_any_depth_and_named_by_their_path(folder):
    found = find_clips(folder, None, None)
    assert [clip.name for clip in found] == ["a", "b", "sub_a"]
    (one,) = find_clips(folder / "b.wav", None, None)
    assert one.name == "b" and one.wanted == ()


def test_a_table_has_a_row_for_each_segment(folder):
    rows = ("clip,start,end,label,split,speaker", "a.mp4,0,2.5,1.5,train,x", "a.mp4,3,4,-1,train,x")
    (clip,) = find_clips(table(folder, *rows), None, None)
    one, two = clip.wanted
    assert (one.start, one.end) == (0, 2.5)
    assert one.fields == {"label": 1.5, "split": "train", "speaker": "x"}
    assert find_clips(folder, folder / "labels.csv", None) == [clip]


def test_a_transcript_is_found_by_the_name_of_its_clip(folder):
    (folder / "words").mkdir()
    (folder / "words/b.txt").write_text("good")
    found = find_clips(folder, None, folder / "words")
    assert [clip.transcript for clip in found] == [None, folder / "words/b.txt", None]
    with pytest.raises(DataError, match="is one file, and there are 3 clips"):
        find_clips(folder, None, folder / "words/b.txt")


@pytest.mark.parametrize(
    "rows, message",
    [
        (("clip,label", "c.mp4,1"), "line 2.*there is no clip"),
        (("file_name,label", "a.mp4,1"), "expected the clip's file in a column clip"),
        (("clip,label", "a.mp4,good"), "label is 'good'; expected a number"),
        (("clip,start,end", "a.mp4,2,1"), "from 2.0 to 1.0 s; expected 0 <= start < end"),
        (("clip,start,end", "a.mp4,2,"), "expected 0 <= start < end, or neither"),
        (("clip,split", "a.mp4,some"), "split is 'some'"),
        (("clip,split", "a.mp4,train", "b.wav,"), "some rows name a split and some do not"),
        (("clip,label", "a.mp4,1", "a.mp4,2"), "several rows name a.mp4"),
        (("clip,id", "a.mp4,x", "b.wav,x"), "the id 'x' occurs twice"),
    ],
)
def test_a_wrong_row_is_named(folder, rows, message):
    with pytest.raises(DataError, match=message):
        find_clips(table(folder, *rows), None, None)


def test_clips_that_would_share_a_name_are_refused(folder):
    (folder / "a.wav").write_text("")
    with pytest.raises(DataError, match="would both be named 'a'"):
        find_clips(folder, None, None)


def test_a_failed_clip_is_named_and_the_status_is_2(cmsbert, folder):
    pytest.importorskip("av", reason="decodes media with PyAV, of the extra [media]")
    words = ("--voice", "none", "--face", "none", "--recogniser", "none")
    found = cmsbert("features", folder / "a.mp4", "--output", folder / "out", *words)
    assert found.exit_code == 2
    assert "failed: " in found.stderr and "a.mp4: not a media file that is read" in found.stderr


def test_a_text_in_the_table_needs_no_recogniser(cmsbert, folder):
    pytest.importorskip("av", reason="decodes media with PyAV, of the extra [media]")
    from media_files import sine, wav

    (folder / "b.wav").write_bytes(wav(sine(2)))
    rows = table(folder, "clip,text,label", "b.wav,a very good film,2")
    words = ("--voice", "none", "--face", "none", "--recogniser", "none")
    found = cmsbert("features", rows, "--output", folder / "out", *words)
    assert found.exit_code == 0, found.stderr
    assert '"words": ["a", "very", "good", "film"]' in (folder / "out/segments.jsonl").read_text()
    assert "features.visual=null" in found.stdout
