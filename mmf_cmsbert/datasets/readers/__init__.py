"""Readers of data files: one file for each layout, in :mod:`.layouts`, which registers itself.

``docs/extending.md`` shows how to add a layout.
"""

from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.pickled_layout import PickledLayout
from mmf_cmsbert.datasets.readers.registry import register_layout

__all__ = ["Layout", "PickledLayout", "Request", "register_layout"]
