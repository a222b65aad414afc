"""Run MMF's unit tests for the installed line.

    python tests/upstream/run.py /path/to/clone/of/mmf
    python tests/upstream/run.py /path/to/clone/of/mmf tests/modules -k losses

The clone is only read: the sources of the line's commit are unpacked into a temporary folder, whose
`mmf`, the same files as the installed one's, is tested. README.md says what that needs installed.
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from mmf_cmsbert.compat.mmf import line as mmf_line

# rc10 was built from this commit of June 2020; main's is the one that the Makefile installs.
COMMITS = {
    "rc10": "c02a63d8e291e4872b6a3368b66c6e65a2eee19e",
    "main": "b0ffc7fba39f210f833c127362146aec01a2f259",
}
SECONDS_A_TEST = 120


def main(clone: str, *arguments: str) -> int:
    """Return pytest's exit code: 0 if nothing failed but what is listed."""
    commit = COMMITS["main" if mmf_line.is_main() else "rc10"]
    with tempfile.TemporaryDirectory(prefix="mmf_own_tests_") as folder:
        archive = ["git", "-C", clone, "archive", "--format=tar", commit]
        sources = subprocess.run(archive, stdout=subprocess.PIPE, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(sources)) as files:
            files.extractall(folder, filter="tar")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")])
            ),
            "MMF_CACHE_DIR": f"{folder}/cache",
        }
        # Plain assertions; otherwise pytest loads the tests instead of compat's importer.
        command = [sys.executable, "-m", "pytest", "-p", "mmf_own_tests", "--assert=plain", "-q"]
        command += ["-p", "no:cacheprovider", f"--timeout={SECONDS_A_TEST}", "-rfExXs"]
        command += ["-W", "ignore", *(arguments or ["tests"])]
        return subprocess.run(command, cwd=folder, env=environment).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
