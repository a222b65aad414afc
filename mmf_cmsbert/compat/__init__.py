"""MMF on today's libraries.

MMF 1.0.0rc10 was written for Python 3.6, torch 1.5, transformers 2.3 and omegaconf 2.0; main, which
calls itself 1.0.0rc12, for torch 1.11, transformers 4.10, omegaconf 2.1 and pytorch-lightning 1.6.
`activate` gives the modules of whichever is installed what they expect of those libraries, and
leaves the libraries as they are for everybody else: MMF's own import statements are answered from a
table (see `imports`), and the table holds only what the installed libraries no longer have. Where
they still have everything, the table is empty and nothing changes.

A few things can only be changed for the whole process: how `DictConfig` answers MMF's code, what
`Tensor.cuda` does for MMF's code without a GPU, a method of `PreTrainedModel` that is gone, what
spawned processes import first, and a broken torchvision, which counts as absent. Each file says so
where it does it.
"""

from importlib import import_module
from importlib.util import find_spec

from mmf_cmsbert.compat import (
    demjson,
    imports,
    lightning,
    omegaconf,
    processes,
    stdlib,
    torch,
    torchtext,
    torchvision,
    transformers,
)

_active = False


def activate() -> None:
    """Make MMF importable and import it; does nothing where MMF is absent, or the second time."""
    global _active
    if _active or find_spec("mmf") is None:
        return
    _active = True

    torchvision.activate()  # first: it tells transformers and others whether it can be had
    torchtext.activate()  # word vectors, optional
    demjson.activate()  # `demjson` no longer installs; `demjson3` is its successor
    stdlib.activate()  # abstract base classes that left `collections`
    omegaconf.activate()  # None for a missing key, the `env` resolver, `pretty()`
    transformers.activate()  # moved modules, changed signatures, AdamW
    lightning.activate()  # a moved module, for MMF's main line
    if imports.activate():  # from here on `import mmf` works
        processes.activate()  # and it does in processes that are spawned
    torch.activate()  # FFTs that changed their name, machines without a GPU
    import_module("mmf_cmsbert.compat.mmf_patches").activate()  # what is wrong within MMF itself
