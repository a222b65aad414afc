"""Lines that rc10 prints instead of writing them to its log."""

from typing import Any

import mmf_cli.run
from mmf.utils import configuration, env, logger

from mmf_cmsbert.compat.mmf import log
from mmf_cmsbert.compat.patch import patch


@patch(
    "{mmf_cli.run,mmf.utils.configuration,mmf.utils.env,mmf.utils.logger}.print",
    "rc10",
    why="Options, seed and the name of the log file are printed, and missing in the log.",
    remove_when="support for rc10 ends.",
)
def to_the_log() -> None:
    def printed(*values: Any, **options: Any) -> None:
        log.printed(*values, **options)

    for module in (mmf_cli.run, configuration, env, logger):
        module.print = printed
