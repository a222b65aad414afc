"""End a command with one line and a status, not a traceback, for errors that a user can fix."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from mmf_cmsbert.console import interruption, signals
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import write_error

WRONG_INPUT, OUTPUT_CLOSED = 2, 141
# Seconds until the forced end after a signal: more than the runs started by the command need.
_LIMIT = signals.LIMIT + 8


class PlainErrors(TyperGroup):
    """Commands that report a UserError or a signal as a line on stderr and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with signals.raised(_LIMIT):
                return super().invoke(ctx)
        except UserError as error:
            message, status = f"error: {error}", WRONG_INPUT
        except OSError as error:
            if not (unwritable := write_error(error)):
                raise
            message, status = f"error: {unwritable}", WRONG_INPUT
        except KeyboardInterrupt as error:
            message, status = interruption.by(error), interruption.status(error)
            if status == OUTPUT_CLOSED:
                raise typer.Exit(status) from None
        print(f"{ctx.command_path} {ctx.invoked_subcommand}: {message}", file=sys.stderr)
        raise typer.Exit(status)
