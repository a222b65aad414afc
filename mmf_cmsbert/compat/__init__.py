"""Run MMF with current libraries.

MMF 1.0.0rc10 was written for Python 3.6, torch 1.5, transformers 2.3 and omegaconf 2.0; main, which
calls itself 1.0.0rc12, for torch 1.11, transformers 4.10, omegaconf 2.1 and pytorch-lightning 1.6.
:func:`activate` adapts the installed line to the installed libraries.

- ``libraries``: changes of libraries, one file for each. MMF's import statements get replacements
  from a table (see ``imports``) for the parts that the installed libraries lack. Other code is not
  affected. A few changes affect the whole process; their files say so.
- ``models``: faults of MMF's stock models.
- ``mmf``: faults of MMF, by line. Its trainers and checkpoints are not patched: ``trainer`` and
  ``checkpoint`` of each line define subclasses with the same methods on both lines, which
  ``mmf_cmsbert.trainers`` extends.

Every change is a :class:`~mmf_cmsbert.compat.patch.Patch` with its reason.
"""

from importlib import import_module
from importlib.util import find_spec

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.patch import apply_all

# torchvision first, because transformers checks whether it is available.
_LIBRARIES = (
    "torchvision",
    "torchtext",
    "demjson",
    "stdlib",
    "omegaconf",
    "transformers",
    "lightning",
)
# In this order: a later patch may use or wrap the result of an earlier one. The layers come before
# the models that use them.
_MMF = (
    "mmf.both.yaml",
    "mmf.both.environment",
    "mmf.both.console_log",
    "mmf.rc10.log_files",
    "mmf.rc10.printed_lines",
    "mmf.main.log_files",
    "mmf.both.defaults",
    "mmf.both.names",
    "mmf.both.process_start",
    "mmf.both.safe_loading",
    "models.layers",
    "models.berts",
    "models.vit",
    "models.uniter",
    "models.embeddings",
    "models.fields",
    "mmf.both.pretrained_models",
    "mmf.both.prediction_files",
    "mmf.main.user_dir",
    "mmf.main.worker_warning",
    "mmf.main.losses",
    "mmf.main.datasets",
    "mmf.main.callbacks",
    "mmf.main.lightning",
    "mmf.rc10.losses",
    "mmf.rc10.metrics",
    "mmf.rc10.reporter",
    "mmf.rc10.multi_dataset",
)
_prepared = False
_active = False


def prepare(loading: str | None = None) -> None:
    """Make MMF importable; does nothing the second time.

    Args:
        loading: the package of MMF that is being imported, if one is.
    """
    global _prepared
    if _prepared:
        return
    _prepared = True
    for name in _LIBRARIES:
        _apply(f"libraries.{name}")
    if imports.activate(loading):  # now `import mmf` works in this process
        _apply("libraries.spawned_processes")  # and in spawned processes


def activate() -> None:
    """Import MMF and patch it; does nothing if MMF is not installed, or the second time."""
    global _active
    if _active or find_spec("mmf") is None:
        return
    _active = True
    prepare()
    _apply("libraries.torch")
    for name in _MMF:
        # A module of one line imports what the other line lacks.
        if not name.startswith(f"mmf.{line.other()}."):
            _apply(name)


def _apply(name: str) -> None:
    apply_all(import_module(f"mmf_cmsbert.compat.{name}"))
