import builtins
import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType

import pytest

from mmf_cmsbert.compat import imports, stand_in
from mmf_cmsbert.compat import patch as patches
from mmf_cmsbert.compat.libraries import torchvision
from mmf_cmsbert.compat.patch import apply_all


@pytest.fixture
def table(monkeypatch):
    """An empty table of libraries instead of the one in use."""
    monkeypatch.setattr(imports, "_libraries", {})
    monkeypatch.setattr(patches, "_active", [])
    return imports._libraries


def absent(**modules):
    """Stand-ins that MMF imports for a missing library."""
    stand_in.replace_missing("absent", lambda: "pip install absent", ImportError("no absent"))
    namespace = {"__builtins__": {**vars(builtins), "__import__": imports._import}}
    exec("\n".join(modules.pop("lines")), namespace)
    return namespace


def test_all_forms_of_import_succeed(table):
    found = absent(
        lines=[
            "import absent",
            "import absent.datasets.folder as helpers",
            "from absent import transforms",
            "from absent.ops.misc import FrozenBatchNorm2d as Norm",
            "class Mine(Norm): pass",
            "def load(path, loader=helpers.default_loader): return loader(path)",
        ]
    )
    for use, name in [
        (lambda: found["absent"].models.resnet152(pretrained=True), "absent.models.resnet152"),
        (lambda: found["load"]("x.jpg"), "absent.datasets.folder.default_loader"),
        (lambda: found["transforms"].Compose([]), "absent.transforms.Compose"),
        (lambda: found["Mine"](3), "absent.ops.misc.FrozenBatchNorm2d"),
        (lambda: tuple(found["helpers"].EXTENSIONS), "absent.datasets.folder.EXTENSIONS"),
        (lambda: "x" in found["helpers"].EXTENSIONS, "absent.datasets.folder.EXTENSIONS"),
    ]:
        with pytest.raises(ImportError) as raised:
            use()
        assert isinstance(raised.value, stand_in.MissingLibraryError)
        message = str(raised.value)
        assert message.startswith(f"{name} is needed") and "pip install absent" in message


def test_what_is_made_early_raises_when_it_is_called(table):
    stand_in.replace_missing(
        "absent", lambda: "pip install absent", ImportError(), made_early="absent.transforms"
    )
    transforms = imports._libraries["absent"]("absent.transforms", ("Compose",))
    compose = transforms.Compose([transforms.Resize(size=2)])
    with pytest.raises(stand_in.MissingLibraryError, match="^absent.transforms.Compose is needed"):
        compose("image")
    with pytest.raises(stand_in.MissingLibraryError):
        imports._libraries["absent"]("absent", ()).models.resnet152()


def test_a_dataset_that_reads_features_needs_no_image_transforms(mmf):
    from mmf.datasets.processors.image_processors import TorchvisionTransforms
    from omegaconf import OmegaConf

    config = {"transforms": [{"type": "Resize", "params": {"size": [2, 2]}}, "ToTensor"]}
    processor = TorchvisionTransforms(OmegaConf.create(config))
    if find_spec("torchvision") is None:
        with pytest.raises(stand_in.MissingLibraryError, match="pip install 'torchvision=="):
            processor({"image": None})


def test_nobody_else_sees_it(table):
    absent(lines=["import absent"])
    assert "absent" not in sys.modules and find_spec("absent") is None
    with pytest.raises(ImportError):
        import absent as _  # noqa: F401


def test_a_healthy_torchvision_is_left_alone(table, monkeypatch, tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("healthy = True")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    apply_all(torchvision)
    assert not table and sys.modules.pop("torchvision").healthy


def test_an_absent_torchvision_may_still_be_installed(table, monkeypatch):
    error = ModuleNotFoundError("No module named 'torchvision'", name="torchvision")
    monkeypatch.setattr(stand_in, "import_error", lambda library: error)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    apply_all(torchvision)
    assert "torchvision" in table and "torchvision" not in sys.modules


@pytest.mark.parametrize(
    ("torch_version", "wanted"),
    [("2.13.0+cpu", "torchvision==0.28.*"), ("2.1.2", "torchvision==0.16.*")],
)
def test_the_advice_names_the_release_that_fits(monkeypatch, torch_version, wanted):
    import torch

    monkeypatch.setattr(torch, "__version__", torch_version)
    assert wanted in torchvision.advice() and torch_version in torchvision.advice()


BROKEN = """
try:
    import mmf  # leaves half of its modules behind
except Exception as error:
    print("without the layer:", error)
import mmf_cmsbert.compat as compat
compat.activate()
from importlib.util import find_spec
from types import ModuleType
assert find_spec("torchvision") is None
from transformers import AutoModel, AutoTokenizer, BertModel
from transformers.utils import is_torchvision_available
assert not is_torchvision_available()
import torch
from mmf.modules import encoders
from mmf.datasets.databases.image_database import ImageDatabase
from omegaconf import OmegaConf
text_only = OmegaConf.create({"type": "default", "params": {"in_dim": 3}})
make = getattr(encoders, "ImageEncoder", None) or encoders.ImageEncoderFactory  # rc10, main
assert make(text_only)(torch.ones(1)) == 1
try:
    make(OmegaConf.create({"type": "resnet152", "params": {"pretrained": False}}))
except ImportError as error:
    print(error)
"""


def test_a_broken_torchvision_counts_as_absent_for_everybody(mmf, tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    metadata = tmp_path / "torchvision-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1\n")
    path = [str(tmp_path), *filter(None, sys.path)]
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{BROKEN}"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "torchvision.models.resnet152 is needed" in result.stdout
    assert "operator torchvision::nms does not exist" in result.stdout


def test_a_torchvision_that_reads_no_videos_is_importable_all_the_same(table, monkeypatch):
    io = ModuleType("torchvision.io")
    io.read_image = len
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.io", io)
    monkeypatch.setattr(imports, "_modules", {})
    apply_all(torchvision)
    served = imports._import("torchvision.io", fromlist=("read_video",))
    assert served.read_image is len
    with pytest.raises(stand_in.MissingLibraryError, match="0.25 or older"):
        served.read_video("film.mp4")
