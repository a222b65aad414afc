"""--version prints the installed versions."""

import platform
from importlib import metadata

import mmf_cmsbert
from mmf_cmsbert.cli import version


def test_versions_of_what_is_installed(monkeypatch):
    def installed(name):
        if name == "mmf":
            raise metadata.PackageNotFoundError(name)
        return "2.99"

    monkeypatch.setattr(version, "version", installed)
    assert version.line() == (
        f"mmf_cmsbert {mmf_cmsbert.__version__} (MMF not installed, torch 2.99, "
        f"Python {platform.python_version()})"
    )
