"""The versions in use, without importing what has them."""

import platform
from importlib.metadata import PackageNotFoundError, version

import mmf_cmsbert


def line() -> str:
    """The versions of this package, of MMF, torch and Python, in one line."""
    others = [("MMF", _installed("mmf")), ("torch", _installed("torch"))]
    versions = ", ".join(f"{name} {found or 'not installed'}" for name, found in others)
    return f"mmf_cmsbert {mmf_cmsbert.__version__} ({versions}, Python {platform.python_version()})"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
