"""Errors that a user can mend. The commands print their message alone and exit with status 2."""


class UserError(Exception):
    """Something in the input is wrong; the message says where, what was found, and what to do."""


class ConfigError(UserError):
    """A key or a value of the configuration is wrong."""


class DataError(UserError):
    """A data file is missing, damaged, or not what the configuration says it is."""
