"""Messages are written to the log of the installed line."""

import io
import logging
import sys

from mmf_cmsbert.compat.mmf import log as mmf_log


class Writer:
    def __init__(self):
        self.lines = []

    def write(self, message, level):
        self.lines.append((message, level))


def test_a_writer_gets_it_with_its_level(toy):
    from mmf.common.registry import registry

    writer = Writer()
    registry.register("writer", writer)
    mmf_log.write("a line", "warning")
    assert writer.lines == [("a line", "warning")]


def test_where_there_is_no_writer_a_logger_gets_it(toy):
    from mmf.common.registry import registry

    registry.register("writer", logging.getLogger("mmf"))  # as main does
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("mmf_cmsbert")
    logger.addHandler(handler)
    try:
        mmf_log.write("a line", "warning")
    finally:
        logger.removeHandler(handler)
    assert [(record.getMessage(), record.levelname) for record in records] == [
        ("a line", "WARNING")
    ]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_what_was_to_be_printed_goes_to_the_log_of_a_run_that_is_summed_up(
    toy, monkeypatch, capsys
):
    from mmf.common.registry import registry

    writer = Writer()
    registry.register("writer", writer)
    mmf_log.printed("Using seed", 1)
    assert capsys.readouterr().out == "Using seed 1\n"
    monkeypatch.setattr(sys, "stdout", Terminal())
    mmf_log.printed("Using seed", 2)
    assert sys.stdout.getvalue() == "" and not writer.lines
    mmf_log.write_held()
    mmf_log.write_held()
    assert writer.lines == [("Using seed 2", "info")]


def test_output_that_is_captured_for_the_log_is_seen_through(monkeypatch):
    class Capture:  # rc10's
        pass

    monkeypatch.setattr(sys, "stdout", Capture())
    assert mmf_log.stream() is sys.__stdout__
