"""The words of ``mmf_run`` and ``mmf_predict``: options, and ``KEY=VALUE`` pairs."""

import re
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from mmf_cmsbert.errors import ConfigError

HELP_CONFIG = "--help-config"
OPTIONS = (
    "--help",
    HELP_CONFIG,
    "--print-config",
    "--verbose",
    "--version",
    "--config_override",
    "--local_rank",
)
_NUMBER = re.compile(r"-\.?\d")


@dataclass(frozen=True)
class Arguments:
    """A command line, taken apart.

    Attributes:
        prog: name of the command.
        typed: everything after the name.
        words: the words that are no options: KEY=VALUE.
        config_override: MMF's: JSON that changes the configuration.
        local_rank: MMF's: number of this process, of torch's launcher.
        verbose: whether MMF's log is shown as well.
        print_config: whether to print the configuration instead of a run.
        help, version: whether to print these instead of a run.
        help_config: keys to explain instead of a run, and options that say where to find them;
            None without ``--help-config``.
    """

    prog: str
    typed: tuple[str, ...]
    words: tuple[str, ...]
    config_override: str | None = None
    local_rank: int | None = None
    verbose: bool = False
    print_config: bool = False
    help: bool = False
    version: bool = False
    help_config: tuple[str, ...] | None = None


def parse(prog: str, typed: Sequence[str]) -> Arguments:
    """Take a command line apart.

    Args:
        prog: name of the command.
        typed: the words after it.

    Raises:
        ConfigError: an unknown option, with the nearest known one, or one without its value.
    """
    found, words = _parser(prog).parse_known_args(list(typed))
    for word in words:
        if word.startswith("-") and not _NUMBER.match(word):
            raise ConfigError(_unknown(prog, word))
    options = vars(found)
    key = options.pop("help_config")
    keys = None if key is None else tuple(filter(None, [key, *words]))
    return Arguments(prog, tuple(typed), tuple(words), help_config=keys, **options)


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def _parser(prog: str) -> ArgumentParser:
    parser = _Parser(prog, add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument(HELP_CONFIG, nargs="?", const="")
    for option in ("--print-config", "--verbose", "--version"):
        parser.add_argument(option, action="store_true")
    # MMF's, as MMF declares them
    parser.add_argument("-co", "--config_override")
    parser.add_argument("--local_rank", type=int)
    return parser


def _unknown(prog: str, word: str) -> str:
    name, equals, _ = word.partition("=")
    key = name.lstrip("-")
    if close := get_close_matches(name, OPTIONS, n=1):
        return f"{name} is no option. Did you mean {close[0]}? {prog} --help lists the options"
    if equals or "." in key:
        return f"{name}: keys are typed without dashes; type {word.lstrip('-')}"
    return f"{name} is no option; {prog} --help lists the options"
