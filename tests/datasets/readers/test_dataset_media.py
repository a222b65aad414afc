"""Columns of sound and of clips in Hugging Face datasets."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Audio, Dataset, Features, Value, Video
from media_files import sine, video, wav

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.readers.reading import extractors_of, read_files
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.media import registry
from mmf_cmsbert.media.extractor import Face, SeenFace, Voice
from mmf_cmsbert.media.signals import finite_frames


class Peak(Voice):
    """The largest sample of each tenth of a second."""

    name, rate, columns = "peak", 10.0, ("peak",)

    def frames(self, sound):
        count = len(sound.samples) // 1600
        parts = np.abs(sound.samples[: count * 1600]).reshape(count, 1600).max(1)
        return finite_frames(parts[:, None], (np.arange(count) + 0.5) / 10, self.columns)


@pytest.fixture(autouse=True)
def peak(monkeypatch):
    registry.names("voice")
    monkeypatch.setitem(registry._extractors, ("voice", "peak"), Peak)


def write(folder, sounds, **more):
    columns = {"text": Value("string"), "score": Value("float64"), "sound": Audio()}
    columns |= {name: Audio() for name in more}
    rows = {"text": ["good film"] * len(sounds), "score": [1.0] * len(sounds), "sound": sounds}
    file = folder / "train.parquet"
    # Without Dataset.from_dict, which needs torchcodec for sound.
    schema = Features(columns).arrow_schema
    pq.write_table(pa.Table.from_pydict(rows | more, schema=schema), file)
    return file


def test_frames_are_extracted_from_sound_with_the_card_of_the_extractor(tmp_path):
    pytest.importorskip("av", reason="decodes sound with PyAV, of the extra [media]")
    noise = np.random.default_rng(0).uniform(-1, 1, 22_050).astype(np.float32)
    sounds = [
        {"bytes": wav(sine(1.05)), "path": None},
        None,
        {"bytes": wav(noise, 44_100), "path": "a.wav"},
        {"bytes": b"no sound at all", "path": None},
    ]
    file = write(tmp_path, sounds)
    tone, none, noisy, broken = read_files([file], "train", voice="peak")
    assert tone.words == ("good", "film") and tone.label == 1.0
    assert tone.frames["acoustic"].shape == (10, 1) and np.allclose(
        tone.frames["acoustic"], 0.3, atol=1e-3
    )
    assert none.frames.get("acoustic") is None and noisy.frames["acoustic"].shape == (5, 1)
    assert isinstance(broken, SegmentError) and "row 3 (train-3): not a media" in str(broken)
    settings = ConversionSettings("mosi", voice="peak", on_invalid="skip")
    store = convert([file], "train", settings, tmp_path / "store")
    assert store.manifest.extractors["acoustic"]["name"] == "peak"
    assert store.manifest.widths == {"acoustic": 1}
    card = extractors_of([tmp_path / "store"], "train")
    assert card == json.loads(json.dumps(dict(store.manifest.extractors)))


def test_sound_beside_the_dataset_is_read_and_no_other_file(tmp_path):
    pytest.importorskip("av", reason="decodes sound with PyAV, of the extra [media]")
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.wav").write_bytes(wav(sine(1)))
    (tmp_path / "data/own.wav").write_bytes(wav(sine(1)))
    paths = ["own.wav", "../secret.wav", str(tmp_path / "secret.wav")]
    file = write(tmp_path / "data", [{"bytes": None, "path": path} for path in paths])
    own, *others = read_files([file], "train", voice="peak")
    for error in others:
        assert isinstance(error, SegmentError) and "not in the folder of the dataset" in str(error)
    assert own.frames["acoustic"].shape == (10, 1)


def test_sound_is_not_read_unless_an_extractor_is_named(tmp_path, caplog):
    file = write(tmp_path, [{"bytes": wav(sine(1)), "path": None}])
    (segment,) = read_files([file], "train")
    assert segment.frames.get("acoustic") is None and "mosi.voice=librosa" in caplog.text
    with pytest.raises(
        DataError, match="acoustic frames of the column sound have to be extracted; name the extr"
    ):
        list(read_files([file], "train", columns={"acoustic": "sound"}))


def test_one_of_several_columns_of_sound_must_be_named(tmp_path):
    sound = {"bytes": wav(sine(1)), "path": None}
    file = write(tmp_path, [sound], other=[sound])
    with pytest.raises(DataError, match="several columns have sound: sound, other; choose one"):
        list(read_files([file], "train", voice="peak"))
    pytest.importorskip("av", reason="decodes sound with PyAV, of the extra [media]")
    (segment,) = read_files([file], "train", voice="peak", columns={"acoustic": "other"})
    assert segment.frames.get("acoustic") is not None


def test_a_dataset_without_sound_has_no_voice(tmp_path):
    Dataset.from_dict({"text": ["good"], "score": [1.0]}).to_parquet(str(tmp_path / "a.parquet"))
    with pytest.raises(DataError, match="no column has sound"):
        list(read_files([tmp_path / "a.parquet"], "train", voice="peak"))


class Bright(Face):
    """A face in each picture that is not black."""

    name, columns = "bright", ("brightness",)

    def faces(self, picture):
        light = picture.max()
        return [SeenFace((0, 0, 1, 1), np.array([light], np.float32), 0.0)] if light else []


@pytest.fixture
def bright(monkeypatch):
    registry.names("face")
    monkeypatch.setitem(registry._extractors, ("face", "bright"), Bright)


def of_clips(folder, clips):
    columns = Features({"text": Value("string"), "score": Value("float64"), "clip": Video()})
    rows = {"text": ["good film"] * len(clips), "score": [1.0] * len(clips)}
    rows["clip"] = [{"bytes": clip, "path": None} for clip in clips]
    file = folder / "train.parquet"
    pq.write_table(pa.Table.from_pydict(rows, schema=columns.arrow_schema), file)
    return file


def test_a_column_of_clips_gives_the_face_and_the_voice_of_those_that_have_them(tmp_path, bright):
    silent = video(tmp_path / "a.mp4", seconds=1.2).read_bytes()  # its first picture is black
    dark = video(tmp_path / "b.mp4", seconds=0.1).read_bytes()
    file = of_clips(tmp_path, [silent, dark, wav(sine(1.0)), None, b"no clip"])
    seen, unseen, heard, none, broken = read_files([file], "train", voice="peak", face="bright")
    assert set(seen.frames) == {"visual"} and seen.frames["visual"].shape == (11, 1)
    assert not unseen.frames, "no face is a missing modality, not zeros"
    assert set(heard.frames) == {"acoustic"} and heard.frames["acoustic"].shape == (10, 1)
    assert not none.frames and none.words == ("good", "film")
    assert isinstance(broken, SegmentError) and "row 4 (train-4): not a media" in str(broken)
    cards = extractors_of([file], "train", voice="peak", face="bright")
    names = {modality: card["name"] for modality, card in cards.items()}
    assert names == {"acoustic": "peak", "visual": "bright"}


def test_a_dataset_without_clips_has_no_face(tmp_path, bright):
    file = write(tmp_path, [{"bytes": wav(sine(1)), "path": None}])
    with pytest.raises(DataError, match=r"no column has clips \(type Video\)"):
        list(read_files([file], "train", face="bright"))
