"""demjson (for `--config_override`) no longer installs; demjson3 is the same under a new name."""

from mmf_cmsbert.compat import imports, stand_in


def activate() -> None:
    error = stand_in.import_error("demjson")
    if error is None:
        return
    if stand_in.import_error("demjson3") is None:
        import demjson3

        imports.replace_module("demjson", demjson3)
    else:
        stand_in.serve_in_place_of("demjson", advice, error)


def advice() -> str:
    """What to type."""
    return "Its successor serves: pip install demjson3"
