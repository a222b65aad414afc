"""Read a given transcript: plain text, subtitles (SRT, VTT), or words with times as JSON."""

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_regular
from mmf_cmsbert.media.signals import Word
from mmf_cmsbert.utils import json_text

SUFFIXES = (".json", ".srt", ".vtt", ".txt")
_LARGEST = 1 << 24
_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_NO_TEXT = ("WEBVTT", "NOTE", "STYLE", "REGION")


@dataclass(frozen=True)
class Transcript:
    """The words of a clip as a user gives them.

    Attributes:
        words: in order.
        times: start and end of each word in seconds, or None if the transcript has no times.
    """

    words: tuple[str, ...]
    times: tuple[tuple[float, float], ...] | None = None

    def timed(self) -> list[Word] | None:
        """Return the words with their times; None if it has no times."""
        if self.times is None:
            return None
        return [Word(w, *time) for w, time in zip(self.words, self.times, strict=True)]


def of_text(text: str, where: str) -> Transcript:
    """Return a transcript without times.

    Raises:
        DataError: the text has no words.
    """
    words = tuple(word for word in text.split() if any(c.isprintable() for c in word))
    if not words:
        raise DataError(f"{where}: the transcript has no words")
    return Transcript(words)


def read_transcript(file: Path) -> Transcript:
    """Read a transcript; the suffix says in which format.

    Raises:
        DataError: it cannot be read, or has another format.
    """
    suffix = file.suffix.lower()
    try:
        content = read_regular(file, _LARGEST)
        utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
        if suffix == ".json":
            return _of_json(json_text.parse(text, str(file)), file)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(
            f"{file}: not a transcript ({str(error)[:150]}); expected UTF-8 text"
        ) from error
    if suffix in (".srt", ".vtt"):
        return _of_cues(text, file)
    if suffix == ".txt":
        return of_text(text, str(file))
    raise DataError(f"{file}: expected a transcript in one of {', '.join(SUFFIXES)}")


def transcript_for(clip: str, given: Path) -> Path | None:
    """Return the transcript of a clip.

    Args:
        clip: the clip's name without suffix, also below a folder.
        given: a file, or a folder with ``<clip>.json``, ``.srt``, ``.vtt`` or ``.txt``.

    Raises:
        DataError: ``given`` does not exist, or has several for the clip.
    """
    if given.is_file():
        return given
    if not given.is_dir():
        raise DataError(f"--transcript is {given}, which does not exist")
    found = [file for suffix in SUFFIXES if (file := given / f"{clip}{suffix}").is_file()]
    if len(found) > 1:
        raise DataError(f"both {found[0]} and {found[1].name} exist; expected one transcript")
    return found[0] if found else None


def _of_cues(text: str, file: Path) -> Transcript:
    words: list[str] = []
    times: list[tuple[float, float]] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().split("\n")
        at = next((i for i, line in enumerate(lines[:3]) if "-->" in line), None)
        if at is None:
            if not lines[0] or lines[0].startswith(_NO_TEXT) or lines[0].isdigit():
                continue
            raise DataError(f"{file}: {lines[0][:60]!r} has no time; expected 00:00:01,000 --> ...")
        match = _CUE.match(lines[at])
        if match is None:
            raise DataError(f"{file}: {lines[at][:60]!r}; expected 00:00:01,000 --> 00:00:02,000")
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        if end <= start:
            raise DataError(f"{file}: {lines[at][:60]!r}; expected an end after the start")
        spoken = html.unescape(_MARKUP.sub("", " ".join(lines[at + 1 :]))).split()
        spoken = [word for word in spoken if word not in ("-", "\N{EN DASH}")]
        words += spoken
        times += spread([len(word) for word in spoken], start, end)
    if not words:
        raise DataError(f"{file}: the subtitles have no words")
    return Transcript(tuple(words), tuple(times))


def _seconds(parts: Any) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def spread(letters: list[int], start: float, end: float) -> list[tuple[float, float]]:
    """Divide a time among words in proportion to their numbers of letters."""
    total, done, found = sum(letters) or 1, 0, []
    for count in letters:
        first, done = done, done + count
        found.append((start + (end - start) * first / total, start + (end - start) * done / total))
    return found


def _of_json(content: Any, file: Path) -> Transcript:
    words: list[str] = []
    times: list[tuple[float, float]] = []
    for each in _json_words(content, file):
        text = each.get("word", each.get("text"))
        start, end = each.get("start"), each.get("end")
        numbers = all(type(t) in (int, float) for t in (start, end))
        if not isinstance(text, str) or not numbers or not 0 <= start < end < 1e6:
            raise DataError(
                f"{file}: word {len(words)} is {str(each)[:100]}; expected "
                '{"word": "good", "start": 1.2, "end": 1.5}, in seconds'
            )
        if text.strip():
            words.append(text.strip())
            times.append((float(start), float(end)))
    if not words:
        raise DataError(f"{file}: the transcript has no words")
    return Transcript(tuple(words), tuple(times))


def _json_words(content: Any, file: Path) -> list[Any]:
    """The words of a list, of ``{"words": [...]}``, or of Whisper's ``{"segments": [...]}``."""
    if isinstance(content, dict) and isinstance(content.get("segments"), list):
        segments = [each for each in content["segments"] if isinstance(each, dict)]
        content = [word for segment in segments for word in segment.get("words", ())]
    elif isinstance(content, dict):
        content = content.get("words")
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise DataError(
            f'{file}: expected a list of {{"word", "start", "end"}}, or an object with "words" or '
            '"segments"'
        )
    return content
