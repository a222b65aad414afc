"""The log of a run names environment variables instead of their values."""

from mmf.utils.configuration import Configuration

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.utils.environment import literal


@patch(
    "mmf.utils.configuration.Configuration.pretty_print",
    why="The log shows the values of environment variables, which may be passwords.",
    remove_when="MMF logs the configuration with references to the environment unresolved.",
)
def logged_configuration() -> None:
    original = Configuration.pretty_print

    def pretty_print(self):
        whole, self.config = self.config, literal(self.config)
        try:
            original(self)
        finally:
            self.config = whole

    Configuration.pretty_print = pretty_print
