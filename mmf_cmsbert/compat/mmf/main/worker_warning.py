"""Main's warning about a default of its own."""

import logging

from mmf_cmsbert.compat.patch import patch

_TEXT = "persistent_workers cannot be used together with num_workers == 0"


@patch(
    "mmf.utils.build.logger",
    "main",
    why="Whoever reads data without worker processes is warned, once a split, that MMF's default "
    "of training.persistent_workers has no effect.",
    remove_when="MMF warns only where the key was set.",
)
def not_of_the_default() -> None:
    logging.getLogger("mmf.utils.build").addFilter(
        lambda record: not record.getMessage().startswith(_TEXT)
    )
