import numpy as np
import pytest

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.alignment import align, spread_over_sound
from mmf_cmsbert.media.cutting import span_of_times, spans
from mmf_cmsbert.media.loudness import is_loud, loudness, without_silence
from mmf_cmsbert.media.signals import Sound, Word
from mmf_cmsbert.media.transcript import Transcript, read_transcript, transcript_for


def timed(text, step=0.5):
    return [Word(w, i * step, i * step + 0.4) for i, w in enumerate(text.split())]


def test_a_full_scale_square_wave_has_0_db_and_silence_minus_90():
    samples = np.concatenate([np.zeros(1600), np.tile([1.0, -1.0], 800)]).astype(np.float32)
    levels = loudness(Sound(samples))
    assert levels.tolist() == pytest.approx([-90.0] * 10 + [0.0] * 10, abs=1e-6)
    assert is_loud(levels).tolist() == [False] * 10 + [True] * 10


def test_the_pause_before_a_word_is_taken_off_its_time():
    loud = np.zeros(300, bool)
    loud[10:40] = loud[180:220] = True
    words = without_silence([Word("so", 0.0, 0.5), Word("ask", 0.39, 2.5)], loud)
    assert words == [Word("so", 0.1, 0.4), Word("ask", 1.8, 2.2)]


def test_sentences_end_at_full_stops_and_long_pauses_but_not_at_titles():
    words = timed("Dr. No came. He was late! Why") + [Word("then", 9.0, 9.5)]
    found = [" ".join(w.text for w in span.words) for span in spans(words, "sentence", 10)]
    assert found == ["Dr. No came.", "He was late!", "Why", "then"]
    assert [len(span.words) for span in spans(words, "silence", 10)] == [7, 1]
    (whole,) = spans(words, "clip", 10.0)
    assert (whole.start, whole.end, len(whole.words)) == (0.0, 10.0, 8)


def test_a_word_belongs_to_the_span_that_has_its_middle():
    words = timed("a b c")  # middles at 0.2, 0.7, 1.2
    assert [w.text for w in span_of_times(words, 0.2, 1.2).words] == ["a", "b"]


def test_words_of_a_transcript_take_the_times_that_were_heard():
    heard = timed("i relly like it very much")
    words = ["I", "really,", "really", "like", "it.", "Very", "much"]
    found = align(words, heard, 5.0, "clip")
    assert [w.text for w in found] == words
    assert (found[0].start, found[3].start, found[6].end) == (0.0, 1.0, 2.9)
    # "really, really" between 0.4 and 1.0, by 7 and 6 letters
    assert (found[1].start, found[1].end) == pytest.approx((0.4, 0.4 + 0.6 * 7 / 13))
    assert all(a.end <= b.start + 1e-9 for a, b in zip(found, found[1:], strict=False))


def test_a_transcript_of_another_clip_is_refused():
    with pytest.raises(DataError, match="clip: only 0 of the transcript's 3 words were heard"):
        align(["one", "two", "three"], timed("quite different words"), 2.0, "clip")


def test_text_is_spread_over_what_is_not_silent():
    loud = np.zeros(400, bool)
    loud[100:200] = loud[300:400] = True
    found = spread_over_sound(["aaaa", "bb", "cc"], loud, 4.0)
    assert [(w.start, w.end) for w in found] == [(1.0, 2.0), (3.0, 3.5), (3.5, 4.0)]
    assert spread_over_sound(["aa", "bb"], np.zeros(0, bool), 4.0)[1] == Word("bb", 2.0, 4.0)


SRT = (
    "1\n00:00:01,000 --> 00:00:02,000\n<i>good</i> film\n\n"
    "2\n00:00:03,000 --> 00:00:04,500\n- yes\n"
)
VTT = "WEBVTT\n\nNOTE made by hand\n\nintro\n00:01.000 --> 00:02.000 line:0\ngood film\n"


def test_subtitles_have_times(tmp_path):
    (tmp_path / "a.srt").write_text(SRT, encoding="utf-16")
    found = read_transcript(tmp_path / "a.srt")
    assert found == Transcript(("good", "film", "yes"), ((1.0, 1.5), (1.5, 2.0), (3.0, 4.5)))
    (tmp_path / "a.vtt").write_text(VTT.replace("\n", "\r\n"))
    assert read_transcript(tmp_path / "a.vtt").times == ((1.0, 1.5), (1.5, 2.0))


@pytest.mark.parametrize(
    "text",
    [
        '[{"word": "good", "start": 1, "end": 1.5}]',
        '{"words": [{"text": " good", "start": 1, "end": 1.5}]}',
        '{"segments": [{"words": [{"word": " good", "start": 1, "end": 1.5}]}]}',
    ],
)
def test_json_has_the_time_of_each_word(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_transcript(tmp_path / "a.json").timed() == [Word("good", 1.0, 1.5)]


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.txt", " \n", "the transcript has no words"),
        ("a.srt", "good film\n", "has no time"),
        ("a.srt", "1\n00:00:02,000 --> 00:00:01,000\nno\n", "an end after the start"),
        ("a.json", '{"text": "good"}', "expected a list of"),
        ("a.json", '[{"word": "good", "start": 2, "end": 1}]', "word 0 is .*in seconds"),
        ("a.json", "[", "not a transcript"),
        ("a.doc", "good", "one of .json, .srt, .vtt, .txt"),
    ],
)
def test_what_is_no_transcript_is_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_transcript(tmp_path / name)


def test_a_folder_has_a_transcript_for_each_clip(tmp_path):
    (tmp_path / "one.txt").write_text("good")
    assert transcript_for("one", tmp_path) == tmp_path / "one.txt"
    assert transcript_for("two", tmp_path) is None
    (tmp_path / "one.srt").write_text(SRT)
    with pytest.raises(DataError, match="expected one transcript"):
        transcript_for("one", tmp_path)
