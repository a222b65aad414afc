"""Options that name the columns of data, and the classes of a Hugging Face dataset."""

from collections.abc import Sequence

from mmf_cmsbert.errors import ConfigError


def named_columns(typed: Sequence[str] | None) -> dict[str, str]:
    """Read ``--column FIELD=NAME``: field -> column.

    Raises:
        ConfigError: one has another form, or names no field.
    """
    from mmf_cmsbert.config.schemas.datasets import Columns
    from mmf_cmsbert.config.schemas.values import can_be_modality

    found = _pairs(typed, "--column", "FIELD=NAME")
    for field in found:
        if field not in Columns.model_fields and not can_be_modality(field):
            known = ", ".join(Columns.model_fields)
            raise ConfigError(
                f"--column {field}=...: expected one of {known}, or the name of another modality"
            )
    return found


def label_values(typed: Sequence[str] | None) -> dict[str, float]:
    """Read ``--label-value CLASS=NUMBER``: class -> its label.

    Raises:
        ConfigError: one has another form.
    """
    found = {}
    for name, value in _pairs(typed, "--label-value", "CLASS=NUMBER").items():
        try:
            found[name] = float(value)
        except ValueError as error:
            raise ConfigError(f"--label-value {name}={value}: expected a number") from error
    return found


def _pairs(typed: Sequence[str] | None, option: str, form: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in typed or ():
        name, sign, value = word.partition("=")
        if not (name and sign and value):
            raise ConfigError(f"{option} {word}: expected {form}")
        if found.setdefault(name, value) != value:
            raise ConfigError(f"{option} {name}={value}: {name} is already {found[name]}")
    return found
