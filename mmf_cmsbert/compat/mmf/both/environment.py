"""Environment variables in the log of a run: their names instead of their values."""

from mmf.utils.configuration import Configuration

from mmf_cmsbert.compat.mmf import log
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.utils.environment import literal


@patch(
    "mmf.utils.configuration.Configuration.pretty_print",
    why="The log contains the values of environment variables, which may be passwords.",
    remove_when="MMF logs the configuration with unresolved environment variables.",
)
def log_without_values() -> None:
    original = Configuration.pretty_print

    def pretty_print(self: Configuration) -> None:
        whole, self.config = self.config, literal(self.config)
        try:
            with log.file_only():
                original(self)
        finally:
            self.config = whole

    Configuration.pretty_print = pretty_print
