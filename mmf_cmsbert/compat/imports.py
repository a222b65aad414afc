"""Replace modules in MMF's import statements only.

A module's `import` statements call the `__import__` of that module's builtins. MMF's modules are
executed with separate builtins, whose `__import__` first looks for replacements in a table.
`sys.modules`, `importlib.util.find_spec` and imports by other code are not affected.
"""

import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any

MMF_PACKAGES = ("mmf", "mmf_cli")

_modules: dict[str, ModuleType] = {}
_libraries: dict[str, Callable[[str, Sequence[str]], ModuleType]] = {}


def is_mmf(module_name: str) -> bool:
    """Return whether a module of this name belongs to MMF."""
    return module_name.partition(".")[0] in MMF_PACKAGES


def replace_module(name: str, module: ModuleType) -> None:
    """Replace a module, but not its submodules, in MMF's imports."""
    _modules[name] = module


def replace_library(name: str, make: Callable[[str, Sequence[str]], ModuleType]) -> None:
    """Replace a package in MMF's imports.

    Args:
        name: the top-level package.
        make: returns a module, called with the name of an imported module of the package, and the
            names to import from it.
    """
    _libraries[name] = make


def replace_function(
    module: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Replace a function by `make(original)`, also in modules of MMF that imported it by name."""
    original = getattr(module, name)
    replacement = make(original)
    for other in [found for name, found in sys.modules.items() if is_mmf(name)]:
        for key, value in list(vars(other).items()):
            if value is original:
                setattr(other, key, replacement)


def facade(module: ModuleType, without: str | None = None, **additions: Any) -> ModuleType:
    """Return a module with all names of `module` except `without`, and with `additions`."""

    def get(name: str) -> Any:
        if name == without:
            raise AttributeError(f"{name} of {module.__name__} is hidden from MMF")
        return getattr(module, name)

    result = ModuleType(module.__name__, module.__doc__)
    vars(result)["__getattr__"] = get
    vars(result).update(additions)
    return result


def activate(loading: str | None = None) -> bool:
    """Use the table in modules of MMF that are imported from now on.

    Args:
        loading: the package of MMF that is being imported, if one is.

    Returns:
        False if the table is empty.
    """
    if not _modules and not _libraries:
        return False
    if loading == "mmf" or "mmf" not in sys.modules:
        # Discard modules that an earlier, failed import of MMF has loaded.
        for name in [name for name in sys.modules if is_mmf(name) and name != loading]:
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder())
    return True


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    if level == 0:
        library = name.partition(".")[0]
        if library in _libraries:
            return _libraries[library](name, fromlist or ())
        # `import a.b` needs `a`, `from a.b import c` needs `a.b`
        if name in _modules and (fromlist or name == library):
            return _modules[name]
    return builtins.__import__(name, globals, locals, fromlist, level)


def execute(loader: SourceFileLoader, module: ModuleType) -> None:
    """Execute a module of MMF, with the table unless it is empty."""
    if _modules or _libraries:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
    SourceFileLoader.exec_module(loader, module)


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        execute(self, module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not is_mmf(fullname):
            return None
        # Only later finders, because another copy of this file may have inserted one before.
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = _Loader(spec.loader.name, spec.loader.path)
                return spec
        return None
