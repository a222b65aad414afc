"""The history of a run: appended to, truncated when the run resumes, and read."""

import json
import math

import pytest

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import WriteError
from mmf_cmsbert.records.history import NAME, History, Training, Validation, read

LOSSES = Training(3, 1, 3, 1e-3, {"mosi/sentiment_regression": 1.5})
MEASURED = Validation(3, 1, {"mosi/sentiment_mae": 1.25})
LATER = Training(6, 2, 3, 5e-4, {"mosi/sentiment_regression": 0.5})


def written(folder, *entries):
    history = History(folder)
    for entry in entries:
        history.append(entry)
    return history.file


def test_entries_come_back_in_their_order(tmp_path):
    file = written(tmp_path, LOSSES, MEASURED, LATER)
    assert read(tmp_path) == [LOSSES, MEASURED, LATER]
    lines = file.read_text().splitlines()
    assert len(lines) == 4 and json.loads(lines[0]) == {"format": 1}


def test_a_new_run_begins_a_new_history(tmp_path):
    written(tmp_path, LOSSES)
    written(tmp_path)
    assert read(tmp_path) == []


def test_a_resumed_run_forgets_what_it_repeats(tmp_path):
    written(tmp_path, LOSSES, MEASURED, LATER)
    History(tmp_path, update=3, validated=3)
    assert read(tmp_path) == [LOSSES, MEASURED]
    # The checkpoint was written before the validation, which is repeated.
    History(tmp_path, update=3, validated=0)
    assert read(tmp_path) == [LOSSES]


def test_numbers_that_json_lacks_become_none(tmp_path):
    file = written(tmp_path, Validation(1, 1, {"mae": math.nan, "corr": math.inf}))
    assert read(tmp_path) == [Validation(1, 1, {"mae": None, "corr": None})]
    assert "NaN" not in file.read_text() and "Infinity" not in file.read_text()


def test_a_run_without_a_history_has_no_entries(tmp_path):
    assert read(tmp_path) == []


def test_the_line_that_a_killed_run_was_writing_is_left_out(tmp_path):
    file = written(tmp_path, LOSSES, LATER)
    file.write_bytes(file.read_bytes()[:-9])
    assert read(tmp_path) == [LOSSES]
    History(tmp_path, update=4).append(LATER)
    assert read(tmp_path) == [LOSSES, LATER]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[1]",
        '{"update": "3"}',
        '{"update": 3, "epoch": 1, "validation": {"mae": "low"}}',
        '{"update": 3, "epoch": 1, "validation": 7}',
        '{"update": 3, "epoch": 1, "losses": {}, "learning_rate": 1, "averaged": 1, "more": 1}',
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    file = written(tmp_path, LOSSES)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(DataError, match=rf"{NAME}, line 3: expected an entry"):
        read(tmp_path)
    History(tmp_path, update=9)  # a resumed run keeps the readable entries
    assert read(tmp_path) == [LOSSES]


def test_another_format_is_refused(tmp_path):
    (tmp_path / NAME).write_text('{"format": 2}\n')
    with pytest.raises(DataError, match="line 1: .* format 1"):
        read(tmp_path)


def test_a_folder_that_is_gone_is_one_message(tmp_path):
    history = History(tmp_path)
    history.file.unlink()
    history.file.mkdir()
    with pytest.raises(WriteError, match=f"{NAME} cannot be written"):
        history.append(LOSSES)
