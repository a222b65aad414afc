"""Python's own library: `collections.Mapping`, which left it, and which rc10's logger asks for."""

import collections
import collections.abc

from mmf_cmsbert.compat import imports


def activate() -> None:
    if not hasattr(collections, "Mapping"):
        facade = imports.facade(collections, Mapping=collections.abc.Mapping)
        imports.replace_module("collections", facade)
