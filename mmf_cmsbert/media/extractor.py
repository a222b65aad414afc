"""The interfaces of extractors: of words, of the voice, of the face."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import sha256_of
from mmf_cmsbert.media.signals import Frames, Sound, Word


class Extractor(ABC):
    """Extracts one modality. Register a subclass with :func:`.registry.register_extractor`.

    It is created once for each process and then used for many clips. Its results must depend on
    the clip only, and be equal to the last bit each time.

    Attributes:
        kind: ``recogniser``, ``voice`` or ``face``; the option of ``cmsbert features``.
        name: the name under which it is registered.
        packages: the packages it imports, as pip names them. Their versions are recorded.
        licence: a sentence on the licence of the library and its models.
        model: the file of its model, or None.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    licence: ClassVar[str] = ""
    takes_model: ClassVar[str] = ""  # what may follow the name, such as "FOLDER"; "": nothing
    model: Path | None = None

    def card(self) -> dict[str, Any]:
        """Return its description for the features' card, without paths of this machine.

        ``versions`` and ``licence`` inform a reader; everything else must be equal for features to
        be comparable.
        """
        found: dict[str, Any] = {"name": self.name}
        if self.model is not None:
            found["model_sha256"] = sha256_of(self.model)
        found |= self.details()
        found["versions"] = {name: version(name) for name in self.packages}
        found["licence"] = self.licence
        return found

    def details(self) -> Mapping[str, Any]:
        """Return further entries of the card, such as ``rate`` and ``columns``."""
        return {}


class Recogniser(Extractor):
    """Recognises spoken words."""

    kind = "recogniser"

    @abstractmethod
    def words(self, sound: Sound) -> list[Word]:
        """Return the words of a sound in order, with punctuation, none of them blank."""


class Voice(Extractor):
    """Extracts frames of the voice at a constant rate.

    Attributes:
        rate: frames per second.
        columns: a name for each column.
    """

    kind = "voice"
    rate: float
    columns: Sequence[str]

    @abstractmethod
    def frames(self, sound: Sound) -> Frames:
        """Return the frames of a sound of any length; none if it is too short for one."""

    def details(self) -> Mapping[str, Any]:
        """Return rate and columns."""
        return {"rate": self.rate, "columns": list(self.columns)}


@dataclass(frozen=True, eq=False)
class SeenFace:
    """A face in a picture.

    Attributes:
        box: left, top, right and bottom, as parts of the picture's width and height.
        values: float32 ``(width,)``, the features.
        mouth: opening of the mouth relative to the size of the face.
    """

    box: tuple[float, float, float, float]
    values: np.ndarray
    mouth: float


class Face(Extractor):
    """Finds faces in pictures.

    Attributes:
        columns: a name for each column.
    """

    kind = "face"
    columns: Sequence[str]

    @abstractmethod
    def faces(self, picture: np.ndarray) -> list[SeenFace]:
        """Return the faces in a picture.

        Args:
            picture: uint8 ``(height, width, 3)``, RGB.
        """

    def details(self) -> Mapping[str, Any]:
        """Return the columns."""
        return {"columns": list(self.columns)}


@contextmanager
def needed(package: str, purpose: str) -> Iterator[None]:
    """Raise a ConfigError that says what to install if an import in this block fails.

    Args:
        package: what to write after ``pip install``.
        purpose: the option that needs it, for the message.
    """
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"{purpose} needs the package {package.split('=')[0]}, which cannot be imported "
            f"({str(error)[:150]}). Type: pip install '{package}'"
        ) from error


def library(module: str, package: str, purpose: str) -> Any:
    """Import a module of an optional package, see :func:`needed`."""
    with needed(package, purpose):
        return import_module(module)


def version(package: str) -> str:
    """Return the version of an installed package; ``unknown`` if it states none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
