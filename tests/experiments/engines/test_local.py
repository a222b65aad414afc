from mmf_cmsbert.experiments.engines import local
from mmf_cmsbert.experiments.engines.local import LocalEngine


def test_cores_are_divided_and_gpus_dealt_out(planned, monkeypatch):
    started = []
    monkeypatch.setattr(local, "JobProcess", lambda *given: started.append(given))
    monkeypatch.setattr(local, "usable_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    start = LocalEngine(3).start
    for slot, job in enumerate(planned(["a", "b", "c"])):
        start(job, slot)
    assert [(threads, gpu) for _, _, threads, gpu, _ in started] == [(2, "4"), (2, "6"), (2, "4")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    LocalEngine(2).start(planned(["d"])[0], 0)
    assert started[-1][2:4] == (1, None)
