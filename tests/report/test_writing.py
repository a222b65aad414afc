"""The report of a run: one file with all results in its folder."""

import json
import re
import shutil

import pytest
from reported_runs import MAE, write_run

from mmf_cmsbert import Run, report
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import WriteError


def rows_of(page):
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', page.read_text())
    return json.loads(text)["rows"]


def test_it_is_one_file_that_needs_nothing_else(page, run):
    assert page == run / "report.html"
    text = page.read_text()
    assert page.stat().st_size < 1_000_000
    references = re.findall(r'(?:src|href|action|xlink:href)="([^"]*)"', text)
    assert all(each.startswith("#") or each == "data:," for each in references)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|innerHTML", text)


def test_it_shows_the_runs_record_scores_and_definitions(page, run):
    text = page.read_text()
    scores = json.loads((run / "run.json").read_text())["test"]
    for shown in (
        "projects/cmsbert/mosi.yaml", "60 test segments", "20 of 30: validation MAE 0.5000",
        "2 min 5 s", "CPU (Linux x86_64, 2 threads)", f"{scores[MAE]:.4f}", "MAE \u2193",
        "Mean absolute error of all segments", "Losses", "Validation MAE (lower is better)",
        "Learning rate", "Confusion, 7 classes", "Error by length", "Before alignment: face",
    ):  # fmt: skip
        assert shown in text, shown
    assert 'class="notice"' not in text.replace("<noscript>", "<!--").split("<!--")[0]
    assert "Synthetic" not in text


def test_texts_of_segments_are_inert(page, hostile):
    text = page.read_text()
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert "<img" not in outside and "&lt;img" in outside
    assert "<script>alert" not in text and "&lt;script&gt;alert" in outside
    assert text.count("<script") == text.count("</script>") == 2
    found = {row["i"]: " ".join(row["w"]) for row in rows_of(page)}
    assert [found[f"clip[{i}]"] for i in range(3)] == hostile


def test_every_segment_has_its_prediction_shifts_and_heat_maps(page):
    rows = rows_of(page)
    assert [row["i"] for row in rows] == [f"clip[{i}]" for i in range(60)]
    assert rows[1]["m"] == ["visual", "acoustic"] and rows[0]["m"] == []
    assert rows[3]["m"] == ["acoustic"] and "h" in rows[3] and "h" not in rows[0]
    heat = rows[4]["h"]["visual"]
    assert heat["frames"] == 7 and {len(each) for each in heat["rows"]} == {0, 7}
    assert len(rows[4]["s"]) == len(rows[4]["w"])
    # Only the second segment has times: from 2 to 4 seconds.
    assert (rows[1]["h"]["visual"]["start"], rows[1]["h"]["visual"]["end"]) == (2.0, 4.0)
    assert "start" not in heat


def test_it_is_written_again_without_the_model(run, page, tmp_path):
    moved = shutil.copytree(run, tmp_path / "moved")
    shutil.rmtree(moved / "model")
    again = report.write(moved, tmp_path / "again.html", pictures=False)
    assert rows_of(again) == rows_of(page)


def test_a_run_without_model_or_history_is_shown_as_far_as_it_is_known(tmp_path):
    run = write_run(tmp_path / "run", history=False)
    shutil.rmtree(run / "model")
    text = report.write(run, pictures=False).read_text()
    assert "No segments are shown." in text and "there is no such checkpoint" in text
    assert "kept no history" in text and "Mean absolute error" in text


def test_predictions_that_differ_from_the_recorded_scores_are_pointed_out(tmp_path):
    run = write_run(tmp_path / "run", test={MAE: 9.0})
    assert "the run recorded 9.0000" in report.write(run, pictures=False).read_text()


def test_a_run_that_does_not_score_test_shows_no_test_segment(tmp_path):
    run = write_run(tmp_path / "run", test=None)
    text = report.write(run, pictures=False).read_text()
    assert "does not score the test split" in text and "clip[0]" not in text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "run.json"),
        (lambda folder: write_run(folder, status="failed"), "the run is failed"),
        (lambda folder: (write_run(folder) / "history.jsonl").write_text("?\n"), "line 1"),
    ],
)
def test_what_cannot_be_reported_is_one_message(tmp_path, make, message):
    make(tmp_path / "run")
    with pytest.raises(DataError, match=message):
        report.write(tmp_path / "run")
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_run_in_python_writes_its_report(run, page, tmp_path, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.report.png.can_draw", lambda: False)
    again = Run(run).report(tmp_path / "again.html")
    assert rows_of(again) == rows_of(page)


def test_a_file_in_place_of_the_folder_is_one_message(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "report").write_text("mine")
    with pytest.raises(WriteError, match="report cannot be written"):
        report.write(run)
    assert (run / "report").read_text() == "mine"
