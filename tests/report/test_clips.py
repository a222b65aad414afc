import re

import numpy as np
import pytest
from small_predictor import made

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.media.clip import ClipSegment, Timeline
from mmf_cmsbert.media.cutting import Span
from mmf_cmsbert.media.feature_folder import FeatureFolder
from mmf_cmsbert.media.signals import Word
from mmf_cmsbert.report import clip_page, clips, timeline_svg


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """A clip of 20 s: its face is there for 10 s, and its second segment has no frames."""
    folder = FeatureFolder(tmp_path_factory.mktemp("features") / "out")
    folder.begin({}, ["talk"])
    frames = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
    texts = (("so", "<b>good</b>"), ("very", "bad"))
    spans = [
        Span(tuple(Word(w, 16.0 * i + j, 16.0 * i + j + 0.5) for j, w in enumerate(text)), s, s + 2)
        for i, (text, s) in enumerate(zip(texts, (0.0, 16.0), strict=True))
    ]
    segments = [
        ClipSegment(spans[0], {}, frames[:, :4], frames[:, 4:]),
        ClipSegment(spans[1], {}, None, None),
    ]
    times = [i / 2 for i in range(40)]
    timeline = Timeline(20.0, [-20.0] * 200, times, [time < 10 for time in times])
    folder.write("talk", segments, timeline, [], {})
    folder.finish(["talk"])
    return folder.folder


@pytest.fixture(scope="module")
def timelines(features):
    return clips.collect(made(), features, "my_model", 4)


def test_words_have_their_times_and_shifts_and_segments_their_scores(timelines):
    (clip,) = timelines.clips
    one, two = clip.segments
    assert [(w.text, w.start) for w in two.words] == [("very", 16.0), ("bad", 17.0)]
    assert one.words[0].shift > 0 and all(w.shift == 0 for w in two.words)
    assert (one.modalities, two.modalities) == (["visual", "acoustic"], [])
    assert one.score != two.score


def test_the_page_shows_each_part_of_a_clip_and_runs_nothing_of_its_text(timelines, tmp_path):
    predictions = tmp_path / "scores.csv"
    clips.write(clips.file_of(predictions), timelines)
    page = clip_page.write(predictions).read_text()
    assert "<b>good</b>" not in page and "&lt;b&gt;good&lt;/b&gt;" in page
    assert page.count('<svg class="timeline"') == 2  # 15 s each
    assert "20.0 s, 2 segments, a face in 20 of 40 pictures" in page
    assert re.findall("a face from ([0-9.]+) to ([0-9.]+) s", page) == [("0.0", "10.0")]
    assert page.count("<polygon") == 2 and "my_model" in page


def test_bars_lie_within_the_limits_of_the_target():
    def bars(score, low, high):
        word = clips.TimedWord(text="so", start=0, end=1, shift=None)
        segment = clips.TimedSegment(
            id="a", start=0, end=1, score=score, answer="joy", words=[word], modalities=[]
        )
        clip = clips.ClipTimeline(
            name="a", seconds=2, loudness=[], face_times=[], face_present=[], segments=[segment]
        )
        (row,) = timeline_svg.rows(clip, low, high)
        return re.findall(r'class="f-(\w+)" .*? y="([\d.]+)" width=.*? height="([\d.]+)"', row)

    assert bars(1.0, -1, 1) == [("positive3", "102.0", "36.0")]
    assert bars(-9.0, -3, 3) == [("negative3", "138.0", "36.0")]
    assert bars(3.0, 1, 5) == [("positive2", "138.0", "36.0")]  # from 1, half of the scale
    assert bars(None, -3, 3) == [("neutral", "138.0", "1.0")]


def test_other_files_have_no_timeline(tmp_path):
    with pytest.raises(ConfigError, match="predictions that cmsbert predict --media wrote"):
        clip_page.write(tmp_path / "scores.csv")
    (tmp_path / "scores.csv.timeline.json").write_text('{"model": "a", "clips": 3}')
    with pytest.raises(DataError, match="not a timeline of clips"):
        clip_page.write(tmp_path / "scores.csv")
