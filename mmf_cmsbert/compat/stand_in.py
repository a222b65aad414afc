"""Stand-ins, in MMF's imports, for an optional library that cannot be imported."""

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
    # A compiled library that was built for another torch raises any of these.
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return error
    return None


def replace_missing(
    library: str, advice: Callable[[], str], error: BaseException, made_early: str = ""
) -> None:
    """Let MMF import `library`, and raise an error when it uses an imported object.

    Args:
        library: the name of a top-level package.
        advice: returns what to type, for the message.
        error: the error of importing it.
        made_early: a module of it whose objects MMF creates even if they are not used; creating
            one succeeds, and calling it raises.
    """

    def make(name: str, wanted: Sequence[str]) -> ModuleType:
        # `import a.b` needs `a`, `from a.b import c` needs `a.b`
        return StandIn(name if wanted else library, advice, error, made_early)

    imports.replace_library(library, make)


class StandIn(ModuleType):
    """Stands for a module and its contents.

    It can be imported, referred to (`default=torchvision.io.read_video`) and subclassed: MMF
    does so in modules that are also needed without the library. Calling it, using it as a
    collection, or creating an instance of a subclass raises MissingLibraryError.
    """

    def __init__(
        self, name: str, advice: Callable[[], str], error: BaseException, made_early: str = ""
    ) -> None:
        super().__init__(name)
        vars(self)["_arguments"] = advice, error, made_early

    def __getattr__(self, name: str) -> "StandIn":
        if name.startswith("__"):  # special names, which Python tests for
            raise AttributeError(name)
        return StandIn(f"{self.__name__}.{name}", *vars(self)["_arguments"])

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        library = self.__name__.partition(".")[0]
        advice, error, _ = vars(self)["_arguments"]
        raise MissingLibraryError(
            f"{self.__name__} is needed here, but {library} cannot be imported "
            f"({type(error).__name__}: {error}). {advice()}"
        ) from error

    __iter__ = __len__ = __contains__ = __getitem__ = _fail

    def __call__(self, *args: Any, **kwargs: Any) -> "StandIn":
        advice, error, made_early = vars(self)["_arguments"]
        if made_early and self.__name__.startswith(f"{made_early}."):
            return StandIn(self.__name__, advice, error)
        self._fail()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type]:
        return (type(self.__name__.rpartition(".")[2], (), {"__init__": self._fail}),)
