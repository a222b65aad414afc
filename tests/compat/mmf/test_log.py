"""What is logged reaches the log of the line that is installed."""

import logging

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
