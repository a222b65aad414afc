import multiprocessing
import os

import pytest

from mmf_cmsbert.utils.folder_lock import descriptors, locked


def test_a_spawned_process_can_unpickle_mmfs_objects(mmf):
    from mmf.common.sample import Sample

    # pytest's main module, which the child imports first, does not import this package
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=dict, args=(Sample({"a": 3}),))
    child.start()
    child.join()
    assert child.exitcode == 0


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="reads Linux's /proc")
def test_a_spawned_process_holds_the_locks_of_the_one_that_started_it(mmf, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    with locked(tmp_path, "mmf_run", "env.save_dir=FOLDER"), spawn.Pool(1) as pool:
        (descriptor,) = descriptors()
        held = pool.apply(os.readlink, (f"/proc/self/fd/{descriptor}",))
    assert held == str(tmp_path / ".lock")
