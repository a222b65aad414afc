"""The face by MediaPipe: 478 points, or 52 blendshapes with its FaceLandmarker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media.extractor import Face, SeenFace, library
from mmf_cmsbert.media.face_tracks import face_of_points, point_columns
from mmf_cmsbert.media.registry import register_extractor

_POINTS = 478
_EYES, _LIPS = ((33, 133), (362, 263)), (13, 14)
_MOST_FACES = 4
_BLENDSHAPES = 52


@register_extractor("mediapipe")
class MediapipeFace(Face):
    """Points in three dimensions (Kartynnik et al., 2019), or how far each muscle is contracted.

    Args:
        model: ``face_landmarker.task``, for blendshapes; without it, releases before 0.10.22 give
            points by the model that they contain.
    """

    packages = ("mediapipe",)
    licence = "MediaPipe and its models: Apache licence 2.0."
    takes_model = "FILE"

    def __init__(self, model: str | Path | None = None):
        mediapipe = library("mediapipe", "mediapipe", "--face mediapipe")
        self._mediapipe = mediapipe
        if model is None:
            self._kind, self.columns = "face_mesh", point_columns(_POINTS, "xyz")
            self._mesh = self._face_mesh()
            return
        self.model = Path(model).expanduser()
        self._kind = "face_landmarker"
        self.columns = tuple(f"blendshape_{i}" for i in range(_BLENDSHAPES))
        self._landmarker = self._face_landmarker(self.model)

    def details(self) -> Mapping[str, Any]:
        return {"kind": self._kind, **super().details()}

    def faces(self, picture: np.ndarray) -> list[SeenFace]:
        size = (picture.shape[1], picture.shape[0])
        if self.model is None:
            found = self._mesh.process(picture).multi_face_landmarks or ()
            return [self._face(face.landmark, size) for face in found]
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=picture)
        result = self._landmarker.detect(image)
        faces = []
        for points, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
            face = self._face(points, size)
            values = np.array([shape.score for shape in shapes], np.float32)
            faces.append(SeenFace(face.box, values, face.mouth))
        return faces

    def _face(self, landmarks: Any, size: tuple[int, int]) -> SeenFace:
        # Depth is in the units of the width.
        scale = np.array([size[0], size[1], size[0]], np.float64)
        points = np.array([(p.x, p.y, p.z) for p in landmarks]) * scale
        return face_of_points(points, size, _EYES, _LIPS)

    def _face_mesh(self) -> Any:
        try:
            # Each picture by itself: following points would make them depend on earlier clips.
            return self._mediapipe.solutions.face_mesh.FaceMesh(
                static_image_mode=True, refine_landmarks=True, max_num_faces=_MOST_FACES
            )
        except AttributeError as error:
            raise ConfigError(
                f"--face mediapipe: mediapipe {self._mediapipe.__version__} contains no model. "
                "Download face_landmarker.task (see Google's page on the Face Landmarker) and type "
                "--face-model face_landmarker.task"
            ) from error

    def _face_landmarker(self, file: Path) -> Any:
        vision = library("mediapipe.tasks.python.vision", "mediapipe", "--face mediapipe")
        base = library("mediapipe.tasks.python", "mediapipe", "--face mediapipe").BaseOptions
        try:
            content = file.read_bytes()
            options = vision.FaceLandmarkerOptions(
                base_options=base(model_asset_buffer=content),
                output_face_blendshapes=True,
                num_faces=_MOST_FACES,
            )
            return vision.FaceLandmarker.create_from_options(options)
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"--face-model {file}: not a model of MediaPipe's Face Landmarker "
                f"({str(error)[:150]}); expected face_landmarker.task"
            ) from error
