"""The two lines of MMF, and the pip commands that install them.

Neither line can be a requirement of this package. rc10's wheel is pure Python but tagged for
CPython 3.6 to 3.8, and both pin outdated libraries. So MMF is installed without its dependencies;
requirements.txt and ``needs`` list those that it imports.
"""

import sys
import sysconfig
from dataclasses import dataclass

# The only way to get a wheel that is tagged for an older Python; pip then requires --target.
_AS_PYTHON_38 = (
    "--only-binary=:all:",
    "--python-version=3.8",
    "--implementation=cp",
    "--abi=cp38",
    "--platform=manylinux1_x86_64",
)
# Only its pure-Python `vocab` is used. Its dependencies would include a compiled tokenizer.
_TORCHTEXT = "torchtext==0.6.0"


@dataclass(frozen=True)
class Line:
    """A line of MMF.

    Attributes:
        name: ``rc10`` or ``main``.
        title: a description for messages.
        mmf: pip's requirement for it.
        options: pip's options for that requirement.
        needs: requirements that it imports beyond requirements.txt.
        environment: variables for pip's process.
    """

    name: str
    title: str
    mmf: str
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def commands(self) -> list[list[str]]:
        """Return the pip commands that install it into the running Python, in order."""
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        into = f"--target={sysconfig.get_path('purelib')}"
        commands = [[*pip, "uninstall", "--quiet", "--yes", "mmf"]]
        if self.needs:
            commands.append([*pip, "install", "--quiet", "--no-warn-conflicts", *self.needs])
        return [
            *commands,
            [*pip, "install", "--quiet", "--no-deps", "--upgrade", into, *self.options, self.mmf]
            + [_TORCHTEXT],
        ]


_COMMIT = "b0ffc7fba39f210f833c127362146aec01a2f259"

LINES = {
    "rc10": Line(
        name="rc10",
        title="MMF 1.0.0rc10, the newest release on PyPI (2020)",
        mmf="mmf==1.0.0rc10",
        options=_AS_PYTHON_38,
    ),
    "main": Line(
        name="main",
        title="MMF 1.0.0rc12, its main line on GitHub (July 2026)",
        mmf=f"mmf @ git+https://github.com/facebookresearch/mmf.git@{_COMMIT}",
        options=("--no-build-isolation",),
        needs=("iopath==0.1.10", "pandas==2.3.3", "portalocker==4.4.2", "termcolor==3.3.0"),
        # MMF's switch to skip its C extension, which only models of text in images use.
        environment=(("READTHEDOCS", "1"),),
    ),
}
