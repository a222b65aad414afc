import re

import numpy as np
import pytest
from media_files import sine, wav
from small_predictor import made

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.live import scoring
from mmf_cmsbert.live.page import html
from mmf_cmsbert.media.clip import Extractors
from mmf_cmsbert.media.extractor import Recogniser, Voice
from mmf_cmsbert.media.jobs import Settings
from mmf_cmsbert.media.signals import Word, finite_frames


class Says(Recogniser):
    name = "says"

    def words(self, sound):
        return [Word("<i>so</i>", 0.0, 0.4), Word("good", 0.5, 0.9)]


class Four(Voice):
    name, rate, columns = "four", 10.0, tuple("abcd")

    def frames(self, sound):
        values = np.random.default_rng(0).normal(size=(9, 4))
        return finite_frames(values, np.arange(9) / 10, self.columns)


@pytest.fixture
def scored(tmp_path):
    pytest.importorskip("av", reason="decodes sound with PyAV, of the extra [media]")
    file = tmp_path / "clip.wav"
    file.write_bytes(wav(sine(1)))

    def score(**more):
        return scoring.score(made(), Settings(), Extractors(Says(), Four()), file, "m", **more)

    return score


def test_each_modality_is_left_out_in_turn(scored):
    found = scored()
    (segment,) = found.segments
    assert segment.text == "<i>so</i> good" and list(segment.without) == ["acoustic"]
    alone = made()({"words": ["<i>so</i>", "good"]}).score
    assert segment.without["acoustic"] == pytest.approx(alone, abs=1e-6)
    assert segment.score != pytest.approx(alone, abs=1e-6)


def test_the_page_escapes_what_was_said_and_shows_the_timeline(scored):
    found = html(scored())
    assert "<i>" not in found and "&lt;i&gt;so&lt;/i&gt; good" in found
    assert "<th>voice added</th>" in found and 'sandbox=""' in found
    assert len(re.findall("&lt;svg class=&#34;timeline|&lt;svg class=&quot;timeline", found)) == 1


def test_nothing_is_kept_unless_a_folder_is_named(scored, tmp_path):
    before = set(tmp_path.rglob("*"))
    scored()
    assert set(tmp_path.rglob("*")) == before
    (tmp_path / "kept").mkdir()
    scored(keep=tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    assert (folder / "clip.wav").is_file() and (folder / "segments.jsonl").is_file()


def test_a_clip_that_cannot_be_used_is_one_message_without_a_path(scored, tmp_path):
    (tmp_path / "clip.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match="^The clip: not a media file"):
        scored()
