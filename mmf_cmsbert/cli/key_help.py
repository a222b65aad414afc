"""``--help-config [KEY ...]``: the explanation of sections and keys."""

from collections.abc import Sequence

from mmf_cmsbert.config import overrides, preflight, reference
from mmf_cmsbert.registration import register


def explain(words: Sequence[str]) -> None:
    """Print the explanations.

    Args:
        words: keys, none for the list of sections; ``env.user_dir=FOLDER`` adds that plugin's
            schemas.

    Raises:
        ConfigError: an unknown key.
    """
    options = overrides.parse([word for word in words if "=" in word])
    more = {}
    if "env.user_dir" in options:
        register()
        preflight.import_user_dir(options, {})
        more = reference.registered()
    asked = [word for word in words if "=" not in word]
    for key in asked or (None,):
        print(reference.describe(key, more))
