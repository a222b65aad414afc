"""Plans of runs that are not started."""

import pytest
from made_up_runs import resolve

from mmf_cmsbert.experiments.job import plan


@pytest.fixture
def planned(tmp_path):
    """Plan recipes of these names with seeds 1 to ``seeds``."""

    def make(names, seeds=1, options=(), bases=(), run_type="train_val_inference"):
        files = []
        for name in names:
            files.append(tmp_path / f"{name}.yaml")
            files[-1].write_text(f"includes: [base.yaml]\nkey: {name}\n")
        seeds = range(1, seeds + 1)
        return plan(files, bases, seeds, options, tmp_path / "output", resolve, run_type)

    return make
