"""Runs the published code of MAG-BERT, from a checkout, for step.py --peer.

    PYTHON peer_worker.py OPTIONS

It is started in an empty folder that holds datasets/mosi.pkl, with the interpreter that can run the
checkout; OPTIONS is JSON. Its data loaders, model, optimizer, schedule, train_epoch, eval_epoch
and test_score_model are used as they are. Changed are the device, which the checkout fixes to a
GPU; the widths of the features and of the model, which it also fixes; and the source of weights
and vocabulary: random weights of the given configuration instead of a download. This file runs with
Python 3.8 and later, and imports nothing of this package but pace.py.
"""

import json
import subprocess
import sys
import types
from importlib.util import find_spec

import pace


def main(given):
    orders = pace.Orders()
    import torch

    torch.manual_seed(given["seed"])
    device = torch.device(given["device"])
    driver = load_driver(given, device)
    train, dev, test, steps = driver.set_up_data_loader()
    model, optimizer, scheduler = driver.prep_for_training(steps)
    clock = pace.clock_of(torch, device)

    def evaluate():
        begun = clock()
        driver.eval_epoch(model, dev, optimizer)
        return {"seconds": clock() - begun, "segments": len(dev.dataset)}

    orders.answers["evaluate"] = evaluate
    orders.answers["versions"] = lambda: versions(torch, given["folder"])
    paced = pace.Pace(orders, lambda batch: len(batch[0]), clock)
    while not paced.free:
        driver.train_epoch(model, Batches(train, paced), optimizer, scheduler)
    # What follows an epoch in its training.
    driver.eval_epoch(model, dev, optimizer)
    driver.test_score_model(model, test)
    orders.answer(**pace.peak_memory())


class Batches:
    """The batches of the driver's loader, each when its step is ordered."""

    def __init__(self, loader, paced):
        self._loader, self._paced = loader, paced

    def __iter__(self):
        return self._paced(self._loader)

    def __len__(self):
        return len(self._loader)


def load_driver(given, device):
    """Import the checkout's driver, with the given device, widths and configuration."""
    sys.path.insert(0, given["folder"])
    if find_spec("wandb") is None:  # the driver imports it; only its main function uses it
        sys.modules["wandb"] = types.ModuleType("wandb")
    import global_configs

    global_configs.DEVICE = device
    global_configs.TEXT_DIM = given["config"]["hidden_size"]
    global_configs.VISUAL_DIM = given["visual"]
    global_configs.ACOUSTIC_DIM = given["acoustic"]
    sys.argv[1:] = ["--train_batch_size", str(given["batch"])]  # the driver reads it on import
    import multimodal_driver as driver
    from transformers import BertConfig, BertTokenizer

    model = driver.MAG_BertForSequenceClassification

    class RandomWeights:
        @staticmethod
        def from_pretrained(name, multimodal_config, num_labels):
            config = BertConfig(num_labels=num_labels, **given["config"])
            return model(config, multimodal_config=multimodal_config)

    driver.MAG_BertForSequenceClassification = RandomWeights
    driver.get_tokenizer = lambda name: BertTokenizer(given["vocabulary"])
    return driver


def versions(torch, folder):
    """Return what the figures depend on."""
    import transformers

    call = ["git", "-C", folder, "describe", "--always", "--dirty"]
    commit = subprocess.run(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "commit": commit.stdout.decode().strip() or "unknown",
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
