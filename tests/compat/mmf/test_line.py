"""The installed line is recognised by its files, in agreement with MMF's version."""

from mmf_cmsbert.compat.mmf import line as mmf_line


def test_the_line_is_the_one_that_mmf_s_version_names(mmf):
    from mmf.version import __version__

    assert mmf_line.is_main() == (__version__ == "1.0.0rc12")


def test_a_part_is_that_of_the_installed_line(mmf):
    from mmf.version import __version__

    line = {"1.0.0rc10": "rc10", "1.0.0rc12": "main"}[__version__]
    assert mmf_line.part("trainer").__name__ == f"mmf_cmsbert.compat.mmf.{line}.trainer"
