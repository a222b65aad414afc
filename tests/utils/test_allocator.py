"""Freed memory stays with the process."""

import os
import subprocess
import sys

import pytest

# Prints the page faults of a block of 64 MiB, after as many as a heap may need to settle.
LAST_BLOCK = """
import ctypes, resource
from mmf_cmsbert.utils.allocator import keep_freed_memory
kept = {call}
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = library.malloc(ctypes.c_size_t(2**26))
    ctypes.memset(block, 1, 2**26)
    library.free(ctypes.c_void_p(block))
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 64 * 2**20 // os.sysconf("SC_PAGE_SIZE")


def last_block(call, environment=()):
    environment = os.environ | dict(environment)
    found = subprocess.run(
        [sys.executable, "-c", LAST_BLOCK.format(call=call)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    kept, faults = found.stdout.split()
    return kept == "True", int(faults)


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_a_freed_block_is_reused_without_new_pages():
    kept, faults = last_block("keep_freed_memory()")
    if not kept:
        pytest.skip("this C library does not have the setting")
    _, usual = last_block("False")
    assert faults < PAGES / 20 < usual


def test_settings_in_the_environment_take_precedence():
    kept, _ = last_block("keep_freed_memory()", {"MALLOC_TRIM_THRESHOLD_": "131072"})
    assert not kept
    kept, _ = last_block("keep_freed_memory()", {"GLIBC_TUNABLES": "glibc.malloc.mxfast=64"})
    assert not kept
