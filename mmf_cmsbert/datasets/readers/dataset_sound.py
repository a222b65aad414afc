"""Acoustic frames from a column of sound (``datasets.Audio``)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import read_regular
from mmf_cmsbert.media.extractor import Voice
from mmf_cmsbert.media.voice import frames_of_file

_LARGEST = 1 << 28  # bytes of the sound of a segment


@dataclass(frozen=True)
class SoundColumn:
    """Extracts frames from the cells of a column of sound.

    Attributes:
        dataset: the file or folder of the dataset, below which sound files may be named.
        voice: the extractor.
    """

    dataset: Path
    voice: Voice

    def frames(self, cell: pa.Scalar, where: str) -> np.ndarray | None:
        """Return the frames ``(frames, width)`` of a cell; None for one without sound.

        Raises:
            SegmentError: the sound cannot be read.
        """
        value = cell.as_py()
        content, path = value.get("bytes"), value.get("path")
        if content is None and path is None:
            return None
        try:
            if content is None:
                content = read_regular(self._file(path, where), _LARGEST)
            found = frames_of_file(content, where, self.voice).values
        except (DataError, OSError) as error:
            message = str(error)
            raise SegmentError(message if where in message else f"{where}: {message}") from error
        return found if len(found) else None

    def _file(self, path: str, where: str) -> Path:
        folder = (self.dataset if self.dataset.is_dir() else self.dataset.parent).resolve()
        file = (folder / path).resolve()
        if not file.is_relative_to(folder):
            raise SegmentError(
                f"{where}: its sound is in {path[:200]}, which is not in the folder of the "
                "dataset; save the dataset with its sound: to_parquet(...)"
            )
        return file
