"""The option ``--layout``: its values are the layouts that are registered."""

import typer

from mmf_cmsbert.paths import PACKAGE

# Each layout of this package is a module with its name. Importing them for the help takes a second.
_MODULES = (PACKAGE / "datasets" / "readers" / "layouts").glob("[!_]*.py")
OWN_LAYOUTS = "|".join(["auto", *sorted(module.stem for module in _MODULES)])


def layout_name(typed: str) -> str:
    """Check that a layout is registered under the typed name.

    Raises:
        typer.BadParameter: the name is unknown; the message lists the names.
    """
    from mmf_cmsbert.datasets.readers.registry import choices

    if typed not in (names := choices()):
        raise typer.BadParameter(
            f"{typed!r} is not one of {', '.join(names)}; --user-dir names a package that "
            "registers others"
        )
    return typed
