"""The files of the worked examples in ``docs/extending.md``."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FILE = re.compile(r'^```python title="([\w./]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def sections() -> dict[str, dict[str, str]]:
    """Heading -> name of a file -> its content."""
    _, *parts = _SECTION.split(PAGE.read_text(encoding="utf-8"))
    return {
        heading: dict(_FILE.findall(text))
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def write_section(heading: str, folder: Path) -> list[Path]:
    """Write the files of a section into a folder, and return their paths."""
    written = []
    for name, content in sections()[heading].items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        written.append(file)
    return written
