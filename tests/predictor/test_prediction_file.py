"""Prediction files: in order, complete, and resumed after an interruption."""

import csv
import json

import pytest

from mmf_cmsbert.errors import ConfigError, SegmentError
from mmf_cmsbert.predictor.prediction import Prediction
from mmf_cmsbert.predictor.prediction_file import Journal, check_output

RESULTS = [
    Prediction("a", 1.25, 1.0),
    SegmentError("line 2 is no JSON"),
    Prediction("b", -3.5),
    Prediction("c", 0.0, -0.5),
]
MADE_WITH = {"model": "m", "input": "i"}


def rows(file):
    if file.suffix == ".csv":
        with open(file, newline="") as lines:
            return [(row["id"], float(row["prediction"])) for row in csv.DictReader(lines)]
    if file.suffix == ".jsonl":
        found = map(json.loads, file.read_text().splitlines())
    else:
        import pyarrow.parquet as parquet

        found = parquet.read_table(file).to_pylist()
    return [(row["id"], row["prediction"]) for row in found]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_predictions_are_in_order_and_errors_in_a_file_of_their_own(tmp_path, suffix):
    output = tmp_path / f"scores{suffix}"
    journal = Journal(output, MADE_WITH)
    assert len(list(journal.extend(RESULTS))) == 4
    assert journal.finish(output) == (3, 1)
    assert rows(output) == [("a", 1.25), ("b", -3.5), ("c", 0.0)]
    assert (tmp_path / f"scores{suffix}.errors.txt").read_text() == "line 2 is no JSON\n"
    assert {each.name for each in tmp_path.iterdir()} == {
        output.name,
        f"{output.name}.errors.txt",
    }


@pytest.mark.parametrize("cut", [1, 20, 90])
def test_an_interrupted_journal_is_continued_after_its_last_whole_line(tmp_path, cut):
    output = tmp_path / "scores.csv"
    journal = Journal(output, MADE_WITH)
    list(journal.extend(RESULTS))
    with open(journal.file, "r+b") as file:
        file.truncate(journal.file.stat().st_size - cut)
    again = Journal(output, MADE_WITH)
    assert 0 < again.done < 4
    list(again.extend(RESULTS[again.done :]))
    assert again.finish(output) == (3, 1)
    assert rows(output) == [("a", 1.25), ("b", -3.5), ("c", 0.0)]


def test_of_an_interrupted_journal_whole_windows_are_kept(tmp_path):
    output = tmp_path / "scores.csv"
    journal = Journal(output, MADE_WITH, window=3)
    list(journal.extend(RESULTS))
    again = Journal(output, MADE_WITH, window=3)
    assert again.done == 3
    list(again.extend(RESULTS[3:]))
    assert again.finish(output) == (3, 1)
    assert rows(output) == [("a", 1.25), ("b", -3.5), ("c", 0.0)]


def test_a_journal_of_another_model_or_input_is_begun_anew(tmp_path):
    output = tmp_path / "scores.csv"
    list(Journal(output, MADE_WITH).extend(RESULTS))
    assert Journal(output, MADE_WITH | {"model": "other"}).done == 0


def test_without_errors_there_is_no_file_of_errors(tmp_path):
    output = tmp_path / "scores.csv"
    journal = Journal(output, MADE_WITH)
    list(journal.extend(RESULTS[2:]))
    assert journal.finish(output) == (2, 0)
    assert [each.name for each in tmp_path.iterdir()] == ["scores.csv"]


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected a name that ends in .csv"):
        check_output(tmp_path / "scores.xlsx")
    with pytest.raises(ConfigError, match="is a folder"):
        (tmp_path / "x.csv").mkdir()
        check_output(tmp_path / "x.csv")
