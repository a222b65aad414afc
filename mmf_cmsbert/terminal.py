"""Standard output and standard error, whatever characters they can show."""

import sys


def show_any_text() -> None:
    r"""Let output escape the characters that its encoding lacks, instead of ending the command.

    A terminal that is not UTF-8, or Windows' default encoding where output goes to a file, shows
    ``\u6211`` for a character that it does not have.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a program has put something else there
            stream.reconfigure(errors="backslashreplace")


def is_utf8() -> bool:
    """Whether standard output shows every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "").replace("_", "").startswith("utf")
