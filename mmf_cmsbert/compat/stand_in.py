"""A replacement, for MMF, of an optional library that cannot be imported."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NoReturn

from mmf_cmsbert.compat import imports
from mmf_cmsbert.errors import UserError


class MissingLibraryError(UserError, ImportError):
    """A part of MMF needs a library that is missing or cannot be loaded."""


def import_error(library: str) -> BaseException | None:
    """Return the error of importing `library`, None if it can be imported."""
    try:
        __import__(library)
    # a compiled library that was built for another torch raises any of these
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return error
    return None


def serve_in_place_of(
    library: str, advice: Callable[[], str], error: BaseException, made_early: str = ""
) -> None:
    """Let MMF's imports of `library` succeed, and the use of what they imported raise.

    Args:
        library: the name of a top-level package.
        advice: what to type, asked for when it is needed.
        error: what importing it raised.
        made_early: a module of it whose objects MMF makes also where nothing will use them; making
            one succeeds, and calling what was made raises.
    """

    def serve(name: str, wanted: Sequence[str]) -> ModuleType:
        # `import a.b` wants `a`, `from a.b import c` wants `a.b`
        return StandIn(name if wanted else library, advice, error, made_early)

    imports.replace_library(library, serve)


class StandIn(ModuleType):
    """Stands for a module, and for what is in it.

    It may be imported, named (`default=torchvision.io.read_video`) and subclassed, for MMF does so
    in modules that have other things to offer. Calling it, reading it as a collection, or making
    an instance of a subclass raises MissingLibraryError.
    """

    def __init__(
        self, name: str, advice: Callable[[], str], error: BaseException, made_early: str = ""
    ) -> None:
        super().__init__(name)
        self.__dict__.update(_advice=advice, _error=error, _made_early=made_early)

    def __getattr__(self, name: str) -> "StandIn":
        if name.startswith("__"):  # Python's own questions, which a module need not answer
            raise AttributeError(name)
        return StandIn(f"{self.__name__}.{name}", self._advice, self._error, self._made_early)

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        library = self.__name__.partition(".")[0]
        raise MissingLibraryError(
            f"{self.__name__} is needed here, but {library} cannot be imported "
            f"({type(self._error).__name__}: {self._error}). {self._advice()}"
        ) from self._error

    __iter__ = __len__ = __contains__ = __getitem__ = _fail

    def __call__(self, *args: Any, **kwargs: Any) -> "StandIn":
        if self._made_early and self.__name__.startswith(f"{self._made_early}."):
            return StandIn(self.__name__, self._advice, self._error)
        self._fail()

    def __mro_entries__(self, bases: tuple) -> tuple[type]:
        return (type(self.__name__.rpartition(".")[2], (), {"__init__": self._fail}),)
