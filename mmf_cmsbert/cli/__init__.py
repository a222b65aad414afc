"""The commands ``mmf_run`` and ``mmf_predict``: MMF's own, with less to type and plain errors.

This module imports little, so that ``--help`` and ``--version`` answer at once;
:mod:`mmf_cmsbert.cli.start` imports torch and MMF, which takes seconds.
"""

import sys
import time

from mmf_cmsbert import console
from mmf_cmsbert.cli import help_text, version
from mmf_cmsbert.cli.arguments import Arguments, parse
from mmf_cmsbert.console import interruption
from mmf_cmsbert.errors import ProcessLost, UserError
from mmf_cmsbert.files import write_error
from mmf_cmsbert.terminal import show_any_text


def mmf_run() -> None:
    """Train and test: the console command ``mmf_run``."""
    _command("mmf_run", predict=False)


def mmf_predict() -> None:
    """Write predictions for the test split: the console command ``mmf_predict``."""
    _command("mmf_predict", predict=True)


def _command(prog: str, predict: bool) -> None:
    began = time.time()
    with console.command(prog):
        show_any_text()
        try:
            _answer_or_start(parse(prog, sys.argv[1:]), predict)
        except UserError as error:
            print(f"{prog}: error: {error}", file=sys.stderr)
            sys.exit(2)
        except OSError as error:
            if not (unwritable := write_error(error)):
                raise
            print(f"{prog}: error: {unwritable}", file=sys.stderr)
            sys.exit(2)
        except ProcessLost as error:
            print(f"{prog}: error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt as error:
            if console.signals.is_first_process():
                print(f"{prog}: {interruption.message(error, began, predict)}", file=sys.stderr)
            interruption.end_processes(error)
            sys.exit(interruption.status(error))


def _answer_or_start(typed: Arguments, predict: bool) -> None:
    if typed.help:
        print(help_text.of(typed.prog))
    elif typed.version:
        print(version.line())
    elif typed.help_config is not None:
        from mmf_cmsbert.cli import key_help

        key_help.explain(typed.help_config)
    else:
        from mmf_cmsbert.cli import start

        if typed.print_config:
            start.print_config(typed, predict)
        else:
            start.start(typed, predict)
