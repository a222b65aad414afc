"""Options of the command ``cmsbert`` itself."""

from mmf_cmsbert.cli import version


def test_versions(cmsbert):
    result = cmsbert("--version")
    assert result.exit_code == 0 and result.output == version.line() + "\n"


def test_an_unknown_option_is_refused_with_the_nearest_one(cmsbert):
    result = cmsbert("--versio")
    assert result.exit_code == 2 and "--version" in result.output
