"""The notebook of the documentation runs completely in a new process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmf_cmsbert.registration import mmf_installed

ROOT = Path(__file__).parents[2]
NOTEBOOK = json.loads((ROOT / "docs" / "first_steps.ipynb").read_text())
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
LENGTH = '"max_updates": 40, "evaluation_interval": 10, "log_interval": 10'
SHORT = '"max_updates": 4, "evaluation_interval": 2, "log_interval": 2'


def test_it_is_kept_without_outputs():
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)


@pytest.mark.skipif(not mmf_installed(), reason="MMF is not installed")
def test_it_runs_from_top_to_bottom(tmp_path):
    """All of it but the number of updates."""
    code = "\n".join(CODE)
    assert code.count(LENGTH) == 1, "the notebook trains otherwise: shorten that here"
    ended = subprocess.run(
        [sys.executable, "-c", code.replace(LENGTH, SHORT)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    words = [line.split()[0] for line in ended.stdout.splitlines()[-4:]]
    assert words == ["a", "very", "good", "film"]
    assert (tmp_path / "my_model" / "model.safetensors").is_file()
