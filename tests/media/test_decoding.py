import http.server
import threading

import numpy as np
import pytest
from media_files import sine, video, wav

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.container import Limits
from mmf_cmsbert.media.decoding import has_pictures, pictures_of, resampled, sound_of

pytest.importorskip("av", reason="decodes media with PyAV, of the extra [media]")


@pytest.fixture
def tone(tmp_path):
    (tmp_path / "tone.wav").write_bytes(wav(sine(2)))
    return tmp_path / "tone.wav"


def test_sound_is_mono_at_16_khz_and_equal_each_time(tone):
    sound = sound_of(tone, "tone")
    assert (sound.rate, len(sound.samples)) == (16_000, 32_000)
    assert np.abs(sound.samples - sine(2)).max() < 1e-4
    assert np.array_equal(sound.samples, sound_of(tone.read_bytes(), "tone").samples)


def test_another_rate_and_two_channels_are_converted():
    stereo = np.stack([sine(1, rate=44_100), np.zeros(44_100, np.float32)], axis=1)
    sound = resampled(stereo, 44_100)
    assert abs(len(sound.samples) - 16_000) < 20
    assert np.abs(sound.samples[500:15_000] - sine()[500:15_000] / 2).max() < 0.01


def test_a_pause_of_the_recording_is_silence(tmp_path):
    """Sound from 1 to 2 s and from 5 to 6 s of a clip that begins with pictures."""
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "gap.mkv"), "w") as container:
        pictures = container.add_stream("mpeg4", rate=1)
        pictures.width, pictures.height = 64, 48
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        grey = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
        grey.pts = 0
        container.mux([*pictures.encode(grey), *pictures.encode(None)])
        for start in (1, 5):
            samples = (sine(1) * 32767).astype("<i2")[None]
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, start * 16_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    sound = sound_of(tmp_path / "gap.mkv", "gap")
    seconds = np.abs(sound.samples[:96_000]).reshape(6, 16_000).max(1)
    assert (seconds > 0.1).tolist() == [False, True, False, False, False, True]


def test_pictures_have_their_times_also_at_a_variable_rate(tmp_path):
    times = [0.0, 0.1, 0.15, 0.4, 1.0, 1.01, 1.02]
    file = video(tmp_path / "vfr.mkv", times=times)
    found = [time for time, _ in pictures_of(file, "vfr", rate=100)]
    assert found == pytest.approx(times, abs=0.002)
    assert len(list(pictures_of(file, "vfr", rate=10))) == 5  # one a tenth of a second
    assert has_pictures(file, "vfr") and sound_of(file, "vfr") is None


def test_sound_alone_has_no_pictures(tone):
    assert not has_pictures(tone, "tone")
    assert list(pictures_of(tone, "tone", 30)) == []


@pytest.fixture(scope="module")
def addresses():
    """An HTTP server that lists what it is asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
    '<Period><AdaptationSet mimeType="audio/wav"><Representation id="1" bandwidth="1">'
    "<BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>"
)
CONCAT = "ffconcat version 1.0\nfile '{}'\n"


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.wav"])
@pytest.mark.parametrize("content", [HLS, DASH, CONCAT], ids=["hls", "dash", "concat"])
def test_a_playlist_is_refused_and_names_nothing_that_is_read(
    tone, tmp_path, addresses, name, content
):
    address, asked = addresses
    for target in (tone.name, str(tone), tone.as_uri(), f"{address}/secret.wav"):
        (tmp_path / name).write_text(content.format(target))
        with pytest.raises(DataError, match=f"{name}: not a media file that is read"):
            sound_of(tmp_path / name, name)
        with pytest.raises(DataError, match=f"{name}: not a media file that is read"):
            list(pictures_of(tmp_path / name, name, 30))
    assert asked == []


def test_a_truncated_file_is_refused(tmp_path, tone):
    file = video(tmp_path / "clip.mkv", seconds=8)
    content = file.read_bytes()
    for part in (10, len(content) // 3):
        (tmp_path / "cut.mkv").write_bytes(content[:part])
        with pytest.raises(DataError, match="cut.mkv: (not a media file|cut short|damaged)"):
            list(pictures_of(tmp_path / "cut.mkv", "cut.mkv", 30))
    tone.write_bytes(wav(sine(9))[: 44 + 32_000])
    with pytest.raises(DataError, match="cut short: 32,044 bytes, but it states 288,044"):
        sound_of(tone, "tone.wav")


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"text\n" * 1000])
def test_what_is_no_media_file_is_refused(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DataError, match="not a media file that is read"):
        sound_of(tmp_path / "a.mp4", "a.mp4")


def test_a_clip_beyond_a_limit_is_refused(tmp_path, tone):
    with pytest.raises(DataError, match=r"tone: .*longer than 0.01 minutes.*--max-minutes"):
        sound_of(tone, "tone", Limits(minutes=0.01))
    file = video(tmp_path / "large.mp4", seconds=0.2, size=(640, 480))
    with pytest.raises(DataError, match="pictures of 640 x 480; expected at most 1,000 pixels"):
        list(pictures_of(file, "large", 30, Limits(pixels=1000)))
    assert next(iter(pictures_of(file, "large", 30)))[1].shape == (480, 640, 3)
