"""Extract many clips, in one or several processes; a clip that fails does not stop the others."""

import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import WriteError, sha256_of
from mmf_cmsbert.media.clip import Extractors, Wanted, extract
from mmf_cmsbert.media.container import DEFAULT_LIMITS, Limits
from mmf_cmsbert.media.cutting import Cut
from mmf_cmsbert.media.feature_folder import FeatureFolder
from mmf_cmsbert.media.transcript import read_transcript


@dataclass(frozen=True)
class Settings:
    """How clips are extracted; as typed, so that other processes can create the extractors.

    Attributes:
        recogniser: see :func:`.registry.create`.
        voice: the same.
        face: the same.
        face_model: the file of the face's model, or None.
        picture_rate: the largest number of pictures per second in which faces are searched.
        cut: how clips are cut into segments.
        limits: what is decoded at most.
        user_dir: a package that registers extractors, or None.
    """

    recogniser: str = "faster_whisper"
    voice: str = "librosa"
    face: str = "mediapipe"
    face_model: str | None = None
    picture_rate: float = 30.0
    cut: Cut = "sentence"
    limits: Limits = DEFAULT_LIMITS
    user_dir: str | None = None

    def extractors(self) -> Extractors:
        """Create the extractors."""
        return Extractors.create(self.recogniser, self.voice, self.face, self.face_model)


@dataclass(frozen=True)
class Clip:
    """A clip to extract.

    Attributes:
        name: unique among the clips; the ``video`` of its segments.
        file: the media file.
        transcript: a file with its transcript, or None.
        wanted: its segments, as the user gives them; empty to cut it.
    """

    name: str
    file: Path
    transcript: Path | None = None
    wanted: tuple[Wanted, ...] = field(default=())


@dataclass(frozen=True)
class Outcome:
    """What became of a clip.

    Attributes:
        clip: the clip.
        segments: number of its segments.
        seconds: the time that it took; 0 if it was extracted before.
        length: of the clip, in seconds.
        notes: for the user.
        error: why it failed, or None.
    """

    clip: Clip
    segments: int = 0
    seconds: float = 0.0
    length: float = 0.0
    notes: Sequence[str] = ()
    error: str | None = None


def extract_all(
    clips: Sequence[Clip],
    folder: FeatureFolder,
    settings: Settings,
    extractors: Extractors,
    jobs: int = 1,
) -> Iterator[Outcome]:
    """Extract clips into a folder; yields as each is finished. Finished clips are not repeated.

    Args:
        clips: the clips.
        folder: begun with the card of ``extractors``.
        settings: how to extract them.
        extractors: those of ``settings``, used if there is one job.
        jobs: number of processes.
    """
    left = []
    for clip in clips:
        done = _done(clip, folder, settings)
        if done is None:
            left.append(clip)
        else:
            yield done
    if jobs == 1 or len(left) < 2:
        yield from (_extract(clip, folder, settings, extractors) for clip in left)
        return
    while left:
        yield from _in_pool(left, folder, settings, min(jobs, len(left)))


def _in_pool(
    left: list[Clip], folder: FeatureFolder, settings: Settings, jobs: int
) -> Iterator[Outcome]:
    """Extract the clips ``left``, and take each out of the list when it is finished.

    If a process dies, the clips that were being extracted have failed, and the function returns.
    """
    # spawn: a fork of a process with threads, as these libraries start them, can hang.
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), _begin_worker, (folder.folder, settings)
    )
    running: dict[Future[Outcome], Clip] = {}
    waiting = iter(list(left))
    try:
        while True:
            # No more than there are processes, so that those of a dead one are known.
            while len(running) < jobs and (clip := next(waiting, None)) is not None:
                running[pool.submit(_work, clip)] = clip
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                clip = running[future]
                outcome = future.result()
                del running[future]
                left.remove(clip)
                yield outcome
    except BrokenProcessPool:
        for clip in running.values():
            left.remove(clip)
            yield Outcome(
                clip,
                error=f"{clip.file}: the process that extracted it ended (out of memory, or a "
                "fault in a library). Try it alone with --jobs 1",
            )
    finally:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            if running:
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[FeatureFolder, Settings, Extractors] | None = None


def _begin_worker(folder: Path, settings: Settings) -> None:
    global _worker
    if settings.user_dir:
        from mmf_cmsbert.user_package import import_package

        import_package(Path(settings.user_dir), "--user-dir")
    _worker = FeatureFolder(folder), settings, settings.extractors()


def _work(clip: Clip) -> Outcome:
    assert _worker is not None
    return _extract(clip, *_worker)


def _extract(
    clip: Clip, folder: FeatureFolder, settings: Settings, extractors: Extractors
) -> Outcome:
    started = time.monotonic()
    try:
        made_with = _made_with(clip, settings)
        transcript = read_transcript(clip.transcript) if clip.transcript else None
        segments, timeline, notes = extract(
            clip.file,
            str(clip.file),
            extractors,
            settings.cut,
            clip.wanted,
            transcript,
            settings.picture_rate,
            settings.limits,
        )
        count = folder.write(clip.name, segments, timeline, notes, made_with)
    except WriteError:
        raise
    except (UserError, OSError, MemoryError) as error:
        return Outcome(clip, error=str(error) or f"{clip.file}: {type(error).__name__}")
    return Outcome(clip, count, time.monotonic() - started, timeline.seconds, notes)


def _done(clip: Clip, folder: FeatureFolder, settings: Settings) -> Outcome | None:
    """What became of a clip before; None if it has to be extracted."""
    record = folder.record(clip.name)
    try:
        if record is None or record["made_with"] != _made_with(clip, settings):
            return None
    except OSError:
        return None
    return Outcome(clip, len(record["rows"]), 0.0, record["timeline"]["seconds"], record["notes"])


def _made_with(clip: Clip, settings: Settings) -> Mapping[str, Any]:
    wanted = [asdict(each) | {"fields": dict(each.fields)} for each in clip.wanted]
    for each in wanted:  # as JSON gives them back
        if each["transcript"]:
            words, times = each["transcript"]["words"], each["transcript"]["times"]
            each["transcript"] = [list(words), times and [list(time) for time in times]]
    return {
        "sha256": sha256_of(clip.file),
        "transcript": sha256_of(clip.transcript) if clip.transcript else None,
        "wanted": wanted,
        "cut": None if wanted else settings.cut,
    }
