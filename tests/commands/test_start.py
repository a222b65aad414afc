import subprocess
import sys


def test_help_needs_none_of_the_large_libraries():
    """They would double the time until it is shown."""
    large = ("numpy", "pydantic", "pyarrow", "torch", "transformers", "mmf")
    program = "import sys; from mmf_cmsbert import commands; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not set(large) & set(ended.stdout.split()), ended.stderr
    assert "typer" in ended.stdout.split()
