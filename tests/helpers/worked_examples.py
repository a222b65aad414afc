"""The files and the commands of the worked examples in ``docs/extending.md``."""

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FILE = re.compile(r'^```(?:python|yaml) title="([\w./]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
# A command is indented, and can continue in the next line after a backslash.
_RUN = re.compile(r"^    (mmf_run (?:.*\\\n)*.*)$", re.MULTILINE)


def sections() -> dict[str, dict[str, str]]:
    """Return the files of each section: heading -> name of the file -> content."""
    found = {heading: dict(_FILE.findall(text)) for heading, text in _texts().items()}
    return {heading: files for heading, files in found.items() if files}


def runs(heading: str) -> list[list[str]]:
    """Return the arguments of each ``mmf_run`` command of a section."""
    commands = [found.replace("\\\n", " ") for found in _RUN.findall(_texts()[heading])]
    return [shlex.split(command)[1:] for command in commands]


def write_section(heading: str, folder: Path) -> list[Path]:
    """Write the files of a section into a folder, and return their paths."""
    written = []
    for name, content in sections()[heading].items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        written.append(file)
    return written


def _texts() -> dict[str, str]:
    _, *parts = _SECTION.split(PAGE.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))
