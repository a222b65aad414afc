"""In the package's source only `compat` changes MMF's classes and modules."""

from pathlib import Path

import pytest
from mmf_assignments import Package

ROOT = Path(__file__).parents[1] / "mmf_cmsbert"
# Patches of MMF, of its stock models, and of libraries in its imports
PATCHES = tuple(f"mmf_cmsbert.compat.{name}." for name in ("mmf", "models", "libraries"))


def module_name(file):
    parts = ["mmf_cmsbert", *file.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_features_assign_no_attribute_of_mmf():
    package = Package({module_name(file): file.read_text() for file in ROOT.rglob("*.py")})
    found = list(package.assignments())
    outside = [each for each in found if not each[0].startswith(PATCHES)]
    assert not outside, "override it in a subclass, or patch MMF in compat"
    assert any(each[0].startswith(PATCHES[0]) for each in found), "patches are found"


CHANGES = {
    "class": "from mmf.a import B\nB.c = 1",
    "class under another name": "from mmf.a import B as C\nC.d = 1",
    "module": "import mmf.a as m\nm.c = 1",
    "module of a package": "from mmf import a\na.c = 1",
    "class of a module": "import mmf.a\nmmf.a.B.c = 1",
    "in a function": "def f():\n    from mmf.a import B\n    B.c = 1",
    "by a second name": "from mmf.a import B\nc = B\nd = c\nd.e = 1",
    "one of several": "from mmf.a import B\nx = y = 0\nB.c, B.d = x, y",
    "added to": "from mmf.a import B\nB.c += 1",
    "annotated": "from mmf.a import B\nB.c: int = 1",
    "deleted": "from mmf.a import B\ndel B.c",
    "setattr": "from mmf.a import B\nsetattr(B, 'c', 1)",
    "type's": "from mmf.a import B\ntype.__setattr__(B, 'c', 1)",
    "dictionary": "from mmf.a import B\nvars(B)['c'] = 1",
    "__dict__": "import mmf.a as m\nm.__dict__.update(c=1)",
    "of a method": "from mmf.a import B\nB.c.__defaults__ = (0,)",
    "in a loop": "from mmf.a import B, C\nfor each in (B, C):\n    each.d = 1",
    "in a loop over names": "from mmf.a import B\nfor n, c in {'b': B}.items():\n"
    "    setattr(c, n, 1)",
    "chosen": "from mmf.a import B, C\n(B if 1 else C).d = 1",
    "registry": "from mmf.common.registry import registry\n"
    "t = registry.get_trainer_class('mmf')\nt.train = 1",
    "returned": "def trainer_class():\n    from mmf.a import B\n    return B\n"
    "t = trainer_class()\nt.c = 1",
    "returned elsewhere": "from p import other as o\nt = o.cls()\nt.train, t.c = 1, 2",
    "imported from elsewhere": "from p.other import B\nB.c = 1",
    "given": "from mmf.a import B\ndef change(cls):\n    cls.c = 1\nchange(B)",
    "given by name": "from mmf.a import B\ndef change(x, *, cls):\n    cls.c = 1\nchange(1, cls=B)",
    "import_module": "from importlib import import_module as i\nimport importlib\n"
    "importlib.import_module('mmf.a').c = 1",
    "named by a format": "from importlib import import_module\nimport_module(f'mmf.{x}').c = 1",
    "sys.modules": "import sys\nsys.modules['mmf.a'].c = 1",
    "getattr": "import mmf.a as m\ngetattr(m, 'B').c = 1",
    "in a walrus": "from mmf.a import B\nif (c := B):\n    c.d = 1",
    "through compat": "from mmf_cmsbert.compat import imports\nfrom mmf import a\n"
    "imports.replace_function(a, 'b', 1)",
}
OTHER = "import mmf.a\nfrom mmf.a import B\ndef cls():\n    return mmf.a.C"


@pytest.mark.parametrize("change", CHANGES)
def test_each_form_of_a_change_is_found(change):
    package = Package({"p.other": OTHER, "p.this": CHANGES[change]})
    assert [module for module, _, _ in package.assignments()] == ["p.this"]


@pytest.mark.parametrize(
    "source",
    [
        "from mmf.a import B\nb = B()\nb.c = 1",
        "from mmf.a import B\nclass C(B):\n    pass\nC.d = 1",
        "from mmf.a import B\nclass C(B):\n    def f(self):\n        self.d = 1",
        "from mmf.a import B\ndef f(B):\n    B.c = 1",
        "import torch\ntorch.c = 1",
        "from mmf.a import b\nb(c=1)\nx = {}\nx.update(b=b)",
    ],
)
def test_instances_and_classes_of_its_own_may_change(source):
    assert not list(Package({"p": source}).assignments())
