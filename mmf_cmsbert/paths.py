"""Where the package lies, and how a relative path in a configuration is found."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def find(path: str | Path) -> Path | None:
    """The file or folder that ``path`` names, absolute, or None where there is none.

    A relative path is looked up in the working folder, then in the package, which carries
    ``configs`` and ``projects``: recipes name what is shipped from any working folder.
    """
    path = Path(path).expanduser()
    for folder in (Path.cwd(), PACKAGE):
        if (folder / path).exists():
            return folder / path
    return None
