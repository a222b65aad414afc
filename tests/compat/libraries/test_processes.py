import multiprocessing


def test_a_spawned_process_can_unpickle_mmfs_objects(mmf):
    from mmf.common.sample import Sample

    # pytest's main module, which the child imports first, knows nothing of this package
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=dict, args=(Sample({"a": 3}),))
    child.start()
    child.join()
    assert child.exitcode == 0
