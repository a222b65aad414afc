"""--config_override is parsed by demjson or its successor."""

import sys

import pytest

from mmf_cmsbert.compat.libraries import demjson
from mmf_cmsbert.compat.stand_in import MissingLibraryError


def test_it_reads_json():
    assert demjson.library().decode('{"training": {"seed": 1}}') == {"training": {"seed": 1}}


def test_without_either_it_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "demjson", None)
    monkeypatch.setitem(sys.modules, "demjson3", None)
    with pytest.raises(MissingLibraryError, match="pip install demjson3"):
        demjson.library()
