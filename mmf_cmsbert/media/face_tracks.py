"""Follow faces from picture to picture, and choose that of the speaker."""

from collections.abc import Sequence

import numpy as np

from mmf_cmsbert.media.extractor import SeenFace
from mmf_cmsbert.media.signals import Frames, finite_frames

_SAME = 0.3  # overlap of the boxes of one face in two pictures
_LOST = 1.0  # s, after which a face is not taken up again
_PRESENT = 0.5  # of the pictures that the most frequent face is in

Box = tuple[float, float, float, float]


class _Track:
    def __init__(self) -> None:
        self.box: Box = (0.0, 0.0, 0.0, 0.0)
        self.times: list[float] = []
        self.values: list[np.ndarray] = []
        self.mouth: list[float] = []

    def add(self, time: float, face: SeenFace) -> None:
        self.box = face.box
        self.times.append(time)
        self.values.append(face.values)
        self.mouth.append(face.mouth)


class FaceTracks:
    """The faces of a clip, each followed by the overlap of its boxes.

    Attributes:
        times: the time of each picture, in seconds.
        present: of each picture, whether it shows a face.
    """

    def __init__(self, columns: Sequence[str]):
        self._columns = columns
        self._tracks: list[_Track] = []
        self.times: list[float] = []
        self.present: list[bool] = []

    def add(self, time: float, faces: Sequence[SeenFace]) -> None:
        """Add the faces of a picture; pictures are added in their order."""
        self.times.append(time)
        self.present.append(bool(faces))
        open_tracks = [t for t in self._tracks if time - t.times[-1] <= _LOST]
        pairs = sorted(
            ((overlap(t.box, f.box), i, t) for t in open_tracks for i, f in enumerate(faces)),
            key=lambda pair: -pair[0],
        )
        left = dict(enumerate(faces))
        used: set[int] = set()
        for same, i, track in pairs:
            if same >= _SAME and i in left and id(track) not in used:
                used.add(id(track))
                track.add(time, left.pop(i))
        for face in left.values():
            self._tracks.append(_Track())
            self._tracks[-1].add(time, face)

    def speaker(self, start: float, end: float) -> Frames | None:
        """Return the frames of the face that speaks between two times; None without a face.

        Of the faces that are there most of the time, it is the one whose mouth moves most (our
        interpretation).
        """
        found = [part for track in self._tracks if (part := _part(track, start, end))]
        if not found:
            return None
        most = max(len(times) for times, _, _ in found)
        often = [part for part in found if len(part[0]) >= _PRESENT * most]
        times, values, _ = max(often, key=lambda part: float(np.std(part[2])))
        return finite_frames(np.stack(values), times, self._columns)


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share, as a part of the area that they cover."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def _part(
    track: _Track, start: float, end: float
) -> tuple[list[float], list[np.ndarray], list[float]] | None:
    first, last = np.searchsorted(track.times, (start, end))
    if first == last:
        return None
    return track.times[first:last], track.values[first:last], track.mouth[first:last]


def face_of_points(
    points: np.ndarray,
    size: tuple[int, int],
    eyes: tuple[Sequence[int], Sequence[int]],
    mouth: tuple[int, int],
) -> SeenFace:
    """Make a face of its points, whose features do not depend on its place and size.

    Args:
        points: ``(points, 2 or 3)``, in pixels.
        size: width and height of the picture in pixels.
        eyes: the points of the left and the right eye.
        mouth: a point of the upper and one of the lower lip.

    Returns:
        Its features are the points relative to their centre, in distances between the eyes, then
        the centre's x and y as parts of the picture's size, and the distance between the eyes as a
        part of its width.
    """
    points = np.asarray(points, np.float64)
    left, right = (points[list(eye)].mean(axis=0) for eye in eyes)
    distance = max(float(np.linalg.norm(left - right)), 1e-6)
    centre = points.mean(axis=0)
    width, height = size
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    place = (centre[0] / width, centre[1] / height, distance / width)
    return SeenFace(
        (low[0] / width, low[1] / height, high[0] / width, high[1] / height),
        np.concatenate([((points - centre) / distance).reshape(-1), place]).astype(np.float32),
        float(np.linalg.norm(points[mouth[0]] - points[mouth[1]]) / distance),
    )


def point_columns(points: int, axes: str) -> tuple[str, ...]:
    """Return the names of the features of :func:`face_of_points`."""
    return (
        *(f"{axis}_{i}" for i in range(points) for axis in axes),
        "centre_x",
        "centre_y",
        "eye_distance",
    )
