"""One run on two nodes of a real Slurm, with Lightning's trainer."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from slurm_cluster import NODES, SlurmCluster, missing

from mmf_cmsbert import paths
from mmf_cmsbert.records import record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or ""),
]

ON_BOTH = ["srun", "-N2", "--ntasks-per-node=1", "--kill-on-bad-exit"]
DEMO = [
    sys.executable, "-c", "from mmf_cmsbert.cli import mmf_run; mmf_run()",
    "config=projects/cmsbert/demo.yaml", "training.trainer=lightning_cmsbert",
    "training.seed=1", "env.data_dir=data", "dataset_config.mosi.synthetic.train=96",
    "dataset_config.mosi.synthetic.val=32", "dataset_config.mosi.synthetic.test=32",
]  # fmt: skip
NO_DROPOUT = [
    "model_config.cmsbert.backbone.from_config=quiet",
    *(f"model_config.cmsbert.{part}.dropout=0" for part in ("shift", "head", "frames")),
]
TWO = "training.lightning.num_nodes=2"


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("pytorch_lightning")
    with SlurmCluster(tmp_path / "slurm") as started:
        yield started


@pytest.fixture
def run(tmp_path, cluster):
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | cluster.environment

    def start(*words):
        return subprocess.Popen(
            words, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def scores(tmp_path, folder):
    return record.read(tmp_path / folder)["test"]


def test_two_nodes_score_as_one_process_without_dropout(tmp_path, run):
    """With dropout they do not: each process draws masks of its own."""
    shutil.copytree(paths.PACKAGE / "projects/cmsbert/demo", tmp_path / "quiet")
    file = tmp_path / "quiet" / "config.json"
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    file.write_text(json.dumps(json.loads(file.read_text()) | none))
    few = ["training.max_updates=30", "training.evaluation_interval=10", *NO_DROPOUT]
    for words in (
        [*DEMO, *few, "env.save_dir=one"],
        [*ON_BOTH, *DEMO, *few, TWO, "env.save_dir=two"],
    ):
        process = run(*words)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    assert scores(tmp_path, "two") == pytest.approx(scores(tmp_path, "one"), abs=1e-5)


def test_a_lost_node_ends_the_run_which_then_resumes_exactly(tmp_path, cluster, run):
    long = [
        "training.max_updates=120", "training.evaluation_interval=40",
        "training.checkpoint_interval=10", TWO,
    ]  # fmt: skip
    whole = run(*ON_BOTH, *DEMO, *long, "env.save_dir=whole")
    said, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, said
    lost = run(*ON_BOTH, *DEMO, *long, "env.save_dir=lost", "checkpoint.resume=true")
    end = time.monotonic() + 120
    while not (tmp_path / "lost" / "current.ckpt").is_file():
        assert time.monotonic() < end and lost.poll() is None
        time.sleep(0.1)
    begun = time.monotonic()
    cluster.lose_node(NODES[1])
    said, _ = lost.communicate(timeout=120)
    assert lost.returncode != 0 and time.monotonic() - begun < 90, said
    cluster.start_node(NODES[1])
    cluster.wait_until_idle()
    again = run(*ON_BOTH, *DEMO, *long, "env.save_dir=lost", "checkpoint.resume=true")
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert scores(tmp_path, "lost") == scores(tmp_path, "whole")
