"""The face by dlib: 68 points."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media.extractor import Face, SeenFace, library
from mmf_cmsbert.media.face_tracks import face_of_points, point_columns
from mmf_cmsbert.media.registry import register_extractor

_FILE = "shape_predictor_68_face_landmarks.dat"
_POINTS = 68
_EYES, _LIPS = (range(36, 42), range(42, 48)), (62, 66)


@register_extractor("dlib")
class DlibFace(Face):
    """Points by an ensemble of regression trees (Kazemi & Sullivan, CVPR 2014).

    Args:
        model: the predictor of points, ``shape_predictor_68_face_landmarks.dat``; by default that
            of the package ``face-recognition-models``.
    """

    packages = ("dlib-bin", "face-recognition-models")
    licence = (
        "dlib: Boost licence. Its predictor of 68 points was trained on the iBUG 300-W data, which "
        "excludes commercial use."
    )
    takes_model = "FILE"
    columns = point_columns(_POINTS, "xy")

    def __init__(self, model: str | Path | None = None):
        self._dlib = library("dlib", "dlib-bin", "--face dlib")
        self.model = Path(model).expanduser() if model else _shipped()
        try:
            self._predictor = self._dlib.shape_predictor(str(self.model))
        except RuntimeError as error:
            raise ConfigError(
                f"{self.model}: not a predictor of dlib ({str(error)[:100]}); expected {_FILE}"
            ) from error
        self._detector = self._dlib.get_frontal_face_detector()

    def faces(self, picture: np.ndarray) -> list[SeenFace]:
        size = (picture.shape[1], picture.shape[0])
        return [self._face(picture, box, size) for box in self._detector(picture, 0)]

    def _face(self, picture: np.ndarray, box: Any, size: tuple[int, int]) -> SeenFace:
        shape = self._predictor(picture, box)
        points = np.array([(point.x, point.y) for point in shape.parts()])
        return face_of_points(points, size, _EYES, _LIPS)


def _shipped() -> Path:
    # Not imported: the package needs an old setuptools.
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder) / "models" / _FILE).is_file():
            return file
    raise ConfigError(
        f"--face dlib needs {_FILE}. Type: pip install face-recognition-models; or name the file: "
        "--face-model FILE"
    )
