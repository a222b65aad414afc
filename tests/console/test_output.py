import os

import pytest

LINES = """
    with console.command("mmf_run"):
        try:
            with signals.raised():
                for i in range(100_000):
                    print("line", i)
        except signals.Interrupted as interrupted:
            sys.exit(interrupted.status)
"""


def test_a_reader_that_goes_away_ends_the_command_without_a_word(type_command):
    typed = type_command(LINES)
    assert typed.process.stdout.readline() == "line 0\n"
    typed.process.stdout.close()
    assert typed.process.wait(60) == 141 and typed.process.stderr.read() == ""


def test_also_where_it_never_reads(type_command):
    read, write = os.pipe()
    os.close(read)
    typed = type_command('with console.command("mmf_run"):\n    print("help")\n', stdout=write)
    os.close(write)
    assert typed.process.wait(60) == 141 and typed.process.stderr.read() == ""


def test_training_ends_after_the_update(type_command):
    typed = type_command(
        """
        with console.command("mmf_run"), signals.deferred("ending"):
            try:
                while signals.received() is None:
                    print("update")
            finally:
                os.write(2, b"saved")
    """
    )
    typed.process.stdout.close()
    typed.process.wait(60)
    assert typed.process.stderr.read().startswith("saved")


def test_a_full_disk_is_named(type_command):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        typed = type_command(LINES, stdout=full)
    assert typed.process.wait(60) == 1
    said = "mmf_run: error: standard output: No space left on device\n"
    assert typed.process.stderr.read() == said


def test_a_closed_output_leads_nowhere_and_not_into_the_next_file(type_command, tmp_path):
    typed = type_command(
        f"""
        os.close(1)
        sys.stdout = sys.__stdout__ = None
        with console.command("mmf_run"):
            with open({str(tmp_path / "file")!r}, "w") as file:
                print("lost")
                os.write(1, b"lost")
                file.write("kept")
    """
    )
    assert typed.ended() == (0, "", "")
    assert (tmp_path / "file").read_text() == "kept"


def test_encoding_and_errors_stay(type_command):
    typed = type_command(
        """
        sys.stdout.reconfigure(encoding="ascii", errors="backslashreplace")
        with console.command("mmf_run"):
            print("\\u00e9")
    """
    )
    assert typed.ended() == (0, "\\xe9\n", "")
