"""What importing the package does to the process, besides registering."""

import gc

import pytest

import mmf_cmsbert

pytest.importorskip("mmf")


def test_what_was_imported_is_left_out_of_later_looks_for_garbage():
    mmf_cmsbert.register()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
