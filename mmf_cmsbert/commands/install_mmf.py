"""``cmsbert install-mmf``: install MMF into the running Python."""

from typing import Annotated, Literal

import typer


def install_mmf(
    line: Annotated[
        Literal["rc10", "main"],
        typer.Option(
            help="rc10: the newest release on PyPI (2020). main: 1.0.0rc12, one fixed commit on "
            "GitHub (July 2026)."
        ),
    ] = "rc10",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the commands without running them.")
    ] = False,
) -> None:
    """Install MMF into the running Python, unless that line is already installed.

    MMF's pins are from 2020 and 2022 and install on no supported Python, so it is installed
    without its dependencies. requirements.txt lists the libraries that it imports.
    """
    import shlex

    from mmf_cmsbert.installation.install import install, installed
    from mmf_cmsbert.installation.lines import LINES

    wanted, found = LINES[line], installed()
    if found == line:
        print(f"{wanted.title} is already installed.")
        return
    print(f"Installing {wanted.title}" + (f" instead of {LINES[found].title}." if found else "."))
    if dry_run:
        for command in wanted.commands():
            print(f"  {shlex.join(command)}")
        return
    install(wanted, lambda command: print(f"  {command}", flush=True))
    print("Installed. cmsbert doctor shows what is found.")
