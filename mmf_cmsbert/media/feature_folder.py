"""The folder of features: the plain-folder layout, a card, and a record of each finished clip."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_json, replace_text, replaced_file
from mmf_cmsbert.media import card as cards
from mmf_cmsbert.media.clip import ClipSegment, Timeline

LIST, CLIPS = "segments.jsonl", "clips"
_LARGEST = 1 << 28


class FeatureFolder:
    """A folder that clips are extracted to, one after the other, by one or several processes.

    A clip's features are written first and its record ``clips/NAME.json`` last, so that a clip with
    a record is complete.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def begin(self, card: cards.Card, clips: Iterable[str]) -> None:
        """Write the card, and check what the folder holds.

        Args:
            card: of the extractors.
            clips: the names of all clips of the command.

        Raises:
            ConfigError: it has features of other extractors or of other clips, or other files.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        found = cards.read_card(self.folder)
        if not found and (others := [each.name for each in _visible(self.folder)]):
            raise ConfigError(
                f"{self.folder} holds {', '.join(others[:3])}, which cmsbert features did not "
                "write; name a new folder with --output"
            )
        if found and {k: found.get(k) for k in card} != json.loads(json.dumps(dict(card))):
            raise ConfigError(
                f"{self.folder} holds features of other extractors or versions (see "
                f"{cards.NAME} there); name a new folder with --output"
            )
        wanted = set(clips)
        if others := [name for name in self.clips() if name not in wanted]:
            raise ConfigError(
                f"{self.folder} holds features of clips that the input does not name: "
                f"{', '.join(others[:3])}. Name them too, or a new folder with --output"
            )
        for name in ("acoustic", "visual", CLIPS):
            (self.folder / name).mkdir(exist_ok=True)
        cards.write_card(self.folder, card)

    def clips(self) -> list[str]:
        """Return the names of the finished clips."""
        return sorted(file.stem for file in (self.folder / CLIPS).glob("*.json"))

    def record(self, clip: str) -> dict[str, Any] | None:
        """Return the record of a finished clip; None if there is none, or it is damaged."""
        try:
            found = read_json(self.folder / CLIPS / f"{clip}.json", _LARGEST)
            return found if isinstance(found, dict) and isinstance(found["rows"], list) else None
        except (OSError, ValueError, KeyError, DataError):
            return None

    def write(
        self,
        clip: str,
        segments: Sequence[ClipSegment],
        timeline: Timeline,
        notes: Sequence[str],
        made_with: Mapping[str, Any],
    ) -> int:
        """Write the features and the record of a clip.

        Args:
            clip: the clip's name, the ``video`` of its segments.
            segments: its segments.
            timeline: the clip over time.
            notes: for the user.
            made_with: what its features depend on.

        Returns:
            The number of segments.
        """
        self.remove(clip)
        rows = []
        for number, segment in enumerate(segments):
            row = _row(clip, number, len(segments), segment)
            rows.append(row)
            for modality in ("acoustic", "visual"):
                frames = getattr(segment, modality)
                if frames is not None:
                    with replaced_file(self._file(modality, row["id"])) as unfinished:
                        _save(unfinished, frames)
        record = {
            "made_with": made_with,
            "rows": rows,
            "timeline": asdict(timeline),
            "notes": list(notes),
        }
        text = json.dumps(record, ensure_ascii=False)
        replace_text(self.folder / CLIPS / f"{clip}.json", text + "\n")
        return len(rows)

    def remove(self, clip: str) -> None:
        """Remove a clip's record and features, the record first."""
        record = self.record(clip)
        (self.folder / CLIPS / f"{clip}.json").unlink(missing_ok=True)
        for row in record["rows"] if record else ():
            for modality in ("acoustic", "visual"):
                self._file(modality, row["id"]).unlink(missing_ok=True)

    def finish(self, clips: Iterable[str]) -> int:
        """Write the list of the segments of all finished clips, in the order of ``clips``.

        Returns:
            The number of segments.

        Raises:
            DataError: two segments have the same id.
        """
        rows = [row for clip in clips for row in (self.record(clip) or {"rows": []})["rows"]]
        seen: set[str] = set()
        for row in rows:
            if row["id"] in seen:
                raise DataError(f"two segments have the id {row['id']!r}; give each its own")
            seen.add(row["id"])
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        replace_text(self.folder / LIST, text)
        return len(rows)

    def _file(self, modality: str, name: str) -> Path:
        return self.folder / modality / f"{name}.npy"


def _row(clip: str, number: int, count: int, segment: ClipSegment) -> dict[str, Any]:
    span = segment.span
    name = clip if count == 1 and span.start == 0 else f"{clip}_{number:03d}"
    return {
        "id": name,
        "video": clip,
        "words": [word.text for word in span.words],
        "start": round(span.start, 3),
        "end": round(span.end, 3),
        "word_times": [[round(word.start, 3), round(word.end, 3)] for word in span.words],
        **segment.fields,
    }


def _save(file: Path, frames: np.ndarray) -> None:
    with open(file, "wb") as opened:  # numpy.save would append .npy to the name
        np.save(opened, frames, allow_pickle=False)


def _visible(folder: Path) -> Iterator[Path]:
    return (each for each in folder.iterdir() if not each.name.startswith("."))
