"""Words of ``mmf_run`` for small runs of the demo in processes of their own."""

import json
import shutil
import socket
import sys

from mmf_cmsbert import paths
from mmf_cmsbert.records import record

MMF_RUN = "from mmf_cmsbert.cli import mmf_run; mmf_run()"
SIZES = [
    "config=projects/cmsbert/demo.yaml", "training.seed=1", "env.data_dir=data",
    "dataset_config.mosi.synthetic.train=96", "dataset_config.mosi.synthetic.val=32",
    "dataset_config.mosi.synthetic.test=32",
]  # fmt: skip
DEMO = [sys.executable, "-c", MMF_RUN, *SIZES]
LIGHTNING = "training.trainer=lightning_cmsbert"


def length(updates, evaluation, checkpoint=10):
    return [
        f"training.max_updates={updates}", f"training.evaluation_interval={evaluation}",
        f"training.checkpoint_interval={checkpoint}",
    ]  # fmt: skip


def without_dropout(folder):
    """Write a backbone without dropout into ``folder``, and return the words that use it."""
    shutil.copytree(paths.PACKAGE / "projects/cmsbert/demo", folder / "quiet")
    file = folder / "quiet" / "config.json"
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    file.write_text(json.dumps(json.loads(file.read_text()) | none))
    return [
        "model_config.cmsbert.backbone.from_config=quiet",
        *(f"model_config.cmsbert.{part}.dropout=0" for part in ("shift", "head", "frames")),
    ]


def scores(folder):
    return record.read(folder)["test"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
