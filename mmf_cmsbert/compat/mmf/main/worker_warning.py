"""Main's warning about its default of `training.persistent_workers`."""

import logging

from mmf_cmsbert.compat.patch import patch

_TEXT = "persistent_workers cannot be used together with num_workers == 0"


@patch(
    "mmf.utils.build.logger",
    "main",
    why="Without worker processes, MMF warns for each split that its default of "
    "training.persistent_workers has no effect.",
    remove_when="MMF warns only if the user has set the key.",
)
def hide_warning() -> None:
    logging.getLogger("mmf.utils.build").addFilter(
        lambda record: not record.getMessage().startswith(_TEXT)
    )
