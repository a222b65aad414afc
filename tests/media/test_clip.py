from pathlib import Path

import pytest

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media import clip as clips
from mmf_cmsbert.media.clip import Extractors, Wanted, extract
from mmf_cmsbert.media.transcript import of_text

CLIP = Path("a.mp4")


def test_segments_have_the_frames_of_their_time(made_up, extractors):
    (one, two), timeline, notes = extract(CLIP, "a", extractors)
    assert [w.text for w in two.span.words] == ["It", "is", "not", "bad."]
    assert (two.span.start, two.span.end) == (1.5, 3.4)
    assert two.visual[:, 0].tolist() == list(range(15, 34))
    assert len(two.acoustic) == 19  # middles 1.55 to 3.35
    assert one.visual.tolist() == [[10.0], [11.0], [12.0], [13.0]]  # the others show no face
    assert (timeline.seconds, len(timeline.loudness), notes) == (4.0, 40, [])
    assert timeline.face_present == [False] * 10 + [True] * 30


def test_a_table_gives_times_and_texts(made_up, extractors):
    wanted = [
        Wanted({"id": "x", "label": 2.0}, 0.0, 1.0),
        Wanted({"id": "y"}, 0.2, 0.9, of_text("something else", "row")),
    ]
    (one, two), _, _ = extract(CLIP, "a", extractors, wanted=wanted)
    assert [w.text for w in one.span.words] == ["I", "like"] and one.fields["label"] == 2.0
    assert one.visual is None  # no face in the first second
    assert [w.text for w in two.span.words] == ["something", "else"]
    assert 0.2 <= two.span.words[0].start < two.span.words[1].end <= 0.91


@pytest.mark.parametrize(
    "wanted, message",
    [
        (Wanted({}, 5.0, 6.0), "the clip ends at 4.0 s"),
        (Wanted({}, 3.6, 4.0), "no word is spoken from 3.6 to 4 s"),
    ],
)
def test_times_without_words_are_refused(made_up, extractors, wanted, message):
    with pytest.raises(DataError, match=message):
        extract(CLIP, "a", extractors, wanted=[wanted])


def test_without_sound_a_transcript_is_needed(made_up, extractors, monkeypatch):
    monkeypatch.setattr(clips, "sound_of", lambda *_: None)
    monkeypatch.setattr(clips, "has_pictures", lambda *_: True)
    with pytest.raises(DataError, match="a: has no words: it has no sound"):
        extract(CLIP, "a", extractors)
    (one,), _, notes = extract(CLIP, "a", extractors, "clip", transcript=of_text("so good", "t"))
    assert one.acoustic is None and len(one.visual) == 30
    assert notes == ["has no sound: its segments have no acoustic frames"]


def test_a_clip_in_which_nobody_speaks_is_named(made_up, extractors, monkeypatch):
    monkeypatch.setattr(extractors.recogniser, "words", lambda sound: [])
    with pytest.raises(DataError, match="a: no speech was recognised"):
        extract(CLIP, "a", extractors)


def test_a_clip_without_a_face_lacks_the_modality(made_up, extractors, monkeypatch):
    monkeypatch.setattr(extractors.face, "faces", lambda picture: [])
    segments, _, notes = extract(CLIP, "a", extractors)
    assert [each.visual for each in segments] == [None, None]
    assert notes == ["shows no face: its segments have no visual frames"]


def test_without_extractors_words_alone_are_made(made_up):
    (one,), timeline, _ = extract(
        CLIP, "a", Extractors(), "clip", transcript=of_text("so good", "t")
    )
    assert (one.visual, one.acoustic, timeline.face_times) == (None, None, [])
