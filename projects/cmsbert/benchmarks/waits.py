"""Show where a step of the demo's `mmf_run` makes the CPU wait for the device.

    python projects/cmsbert/benchmarks/waits.py --device cuda

An update that logs is left out. On a CPU, batches are prepared on the same device, so that the
reads of their lengths in datasets/batching.py are shown; on a GPU they are read before they move.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import synchronisations
import torch

# Updates that are not the first, whose optimizer states are created, and not logged.
_WATCHED = (3, 4)
_UPDATES = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--out", type=Path, help="folder for the run (temporary)")
    given = parser.parse_args()
    if given.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        places = watch(torch.device(given.device), Path(given.out or folder) / "waits_run")
    print(f"{len(_WATCHED)} updates on {given.device} wait {sum(places.values())} times")
    for place, number in places.most_common():
        print(f"{number:>4}  {place}")


def watch(device: torch.device, folder: Path) -> Counter[str]:
    """Run the demo; return how often the watched updates wait at each place."""
    from mmf_cmsbert import cli
    from mmf_cmsbert.compat.mmf import line
    from mmf_cmsbert.registration import register

    register()
    trainer = line.part("trainer").Trainer
    original, places = trainer._make_update, Counter()

    def make_update(self, group):
        if self.num_updates + 1 > max(_WATCHED):
            raise SystemExit
        if self.num_updates + 1 not in _WATCHED:
            return original(self, group)
        reports = []
        places.update(synchronisations.count(lambda: reports.append(original(self, group)), device))
        return reports[0]

    trainer._make_update = make_update
    sys.argv[:] = [
        "mmf_run",
        "config=projects/cmsbert/demo.yaml",
        f"env.save_dir={folder}",
        "env.overwrite=true",
        f"training.max_updates={_UPDATES}",
        f"training.evaluation_interval={_UPDATES}",
        f"training.log_interval={_UPDATES}",
        # As on a GPU.
        "model_config.cmsbert.backbone.length_groups=1",
    ]
    printed = sys.stdout
    sys.stdout = sys.stderr
    try:
        cli.mmf_run()
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        sys.stdout = printed
        trainer._make_update = original
    return places


if __name__ == "__main__":
    main()
