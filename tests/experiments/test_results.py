import csv
import json
import math

import pytest
from made_up_runs import write_record
from rich.console import Console

from mmf_cmsbert.experiments import results_json, table
from mmf_cmsbert.experiments.results import collect, what_changes

MAE, CORR = "mosi/sentiment_mae", "mosi/sentiment_corr"
# recipe -> MAE of seeds 1, 2, 3; None: the run is missing
SCORES = {
    "full": [0.5, 0.6, 0.7],
    "less": [0.6, 0.8, 1.0],
    "gap": [0.4, None, 0.5],
    "none": [None] * 3,
}


@pytest.fixture
def jobs(planned):
    jobs = planned(list(SCORES), seeds=3)
    for job in jobs:
        mae = SCORES[job.recipe][job.seed - 1]
        if mae is not None:
            scores = {MAE: mae, CORR: 1 - mae}
            write_record(job.folder, job.config, test=scores, validation={MAE: mae / 2})
        else:
            write_record(job.folder, job.config, status="failed", test=None)
    return jobs


def test_means_and_deviations_are_over_the_runs_that_finished(jobs):
    head, *rows = table.scores(collect(jobs))
    assert head == ["recipe", "runs", "MAE \u2193", "Corr \u2191"]
    assert rows == [
        ["full", "3", "0.600 ± 0.100", "0.400 ± 0.100"],
        ["less", "3", "0.800 ± 0.200", "0.200 ± 0.200"],
        ["gap", "2", "0.450 ± 0.071", "0.550 ± 0.071"],
        ["none", "0", "-", "-"],
    ]


def test_recipes_are_compared_with_the_first_over_the_seeds_that_both_have(jobs):
    results = collect(jobs)
    less, gap = results.comparison("less", MAE), results.comparison("gap", MAE)
    # differences 0.1, 0.2, 0.3: deviation 0.1, t 4.302653
    margin = 4.302653 * 0.1 / 3**0.5
    assert (less.mean, less.low, less.high) == pytest.approx((0.2, 0.2 - margin, 0.2 + margin))
    assert (less.p, less.count) == (pytest.approx(2 / 8), 3)
    # seeds 1 and 3: 0.4 - 0.5 and 0.5 - 0.7
    assert (gap.mean, gap.count) == (pytest.approx(-0.15), 2)
    assert results.comparison("full", MAE) is None and results.comparison("none", MAE) is None
    assert table.comparisons(results, MAE)[1] == [
        "less",
        "+0.200",
        "-0.048 to +0.448",
        "0.250",
        "0.500",
        # of 9 pairs less is better in one (0.6 against 0.7), and one is a tie
        "0.17 (0.00 to 0.56)",
        "3",
    ]
    assert table.comparisons(results, MAE)[3] == ["none", *["-"] * 5, "0"]


def test_a_metric_that_is_not_a_number_is_not_compared(jobs, planned, tmp_path):
    for job in jobs:
        if SCORES[job.recipe][job.seed - 1] is not None:
            none = job.recipe == "less" or (job.recipe, job.seed) == ("gap", 3)
            scores = {MAE: 0.5, CORR: math.nan if none else 0.1 * job.seed}
            write_record(job.folder, job.config, test=scores, validation=scores)
    results = collect(jobs)
    rows = {row[0]: row[1:] for row in table.comparisons(results, CORR)[1:]}
    assert rows["less"] == rows["gap"] == [*["-"] * 5, "0"]
    shown = {row[0]: row[3] for row in table.scores(results)[1:]}
    assert shown["less"] == "-" and "nan" in shown["gap"]  # one run of gap has a value
    assert {row[0]: row[2] for row in table.middle(results)[1:]}["less"] == "-"
    results_json.write_json(tmp_path / "results.json", results, "cmsbert ablate")
    text = (tmp_path / "results.json").read_text()
    assert "NaN" not in text and json.loads(text)["metrics"][CORR]["less"]["runs"]


def test_p_is_corrected_for_the_recipes_that_could_be_compared(jobs):
    found = collect(jobs).comparisons(MAE)
    # less has 0.25 and gap 0.5; none has no run
    assert [corrected for _, corrected in found.values()] == [0.5, 0.5]


def test_a_table_says_how_many_pairs_show_a_difference(jobs):
    results = collect(jobs)
    head, less, gap = table.power(results, MAE, 0.05)
    assert head[0::2] == ["recipe", "pairs", "needed for 0.05"]
    # less: differences 0.1, 0.2, 0.3 with deviation 0.1; 3 pairs show 3.264 deviations, the
    # difference found is 2 deviations, 0.05 is half of one (see the tests of statistics)
    assert less == ["less", "0.326", "3", "5", "34"]
    assert gap[0] == "gap"
    assert len(table.power(results, MAE, None)[0]) == 4


def test_the_json_holds_runs_and_statistics(jobs, tmp_path):
    results_json.write_json(tmp_path / "results.json", collect(jobs), "cmsbert ablate", 0.05)
    found = json.loads((tmp_path / "results.json").read_text())
    assert (found["reference"], found["criterion"], found["split"]) == ("full", MAE, "test")
    less = found["metrics"][MAE]["less"]
    assert [run["value"] for run in less["runs"]] == [0.6, 0.8, 1.0]
    assert less["interquartile_mean"]["value"] == pytest.approx(0.8)
    assert less["comparison"]["mean"] == pytest.approx(0.2)
    assert less["comparison"]["p_holm"] == pytest.approx(0.5)
    assert less["comparison"]["probability_of_improvement"]["value"] == pytest.approx(1.5 / 9)
    assert less["power"]["pairs_for_the_difference"] == 34
    assert "none" not in found["metrics"][MAE] and "comparison" not in found["metrics"][MAE]["full"]


def test_where_test_is_left_alone_validation_is_compared(planned, tmp_path):
    jobs = planned(["a", "b"], run_type="train_val")
    for job, mae in zip(jobs, (0.5, 0.75), strict=True):
        # an earlier run of the same settings may have been scored on test
        write_record(job.folder, job.config, validation={MAE: mae}, test={MAE: 9.0})
    results = collect(jobs)
    assert results.comparison("b", MAE).mean == 0.25
    assert table.scores(results)[1] == ["a", "1", "0.500"]
    assert "Validation at its best epoch, test not scored" in table.note(results)


def test_runs_of_one_seed_over_two_bases_are_different_pairs(planned, tmp_path):
    for fold in ("fold1", "fold2"):
        (tmp_path / f"{fold}.yaml").write_text("base: true\n")
    jobs = planned(["a", "b"], bases=[tmp_path / "fold1.yaml", tmp_path / "fold2.yaml"])
    for i, job in enumerate(jobs):  # fold1 a, fold1 b, fold2 a, fold2 b
        write_record(job.folder, job.config, test={MAE: [1.0, 2.0, 5.0, 8.0][i]})
    found = collect(jobs).comparison("b", MAE)
    assert (found.mean, found.count) == (2.0, 2)


def test_csv_has_one_row_a_finished_run(jobs, tmp_path):
    table.write_csv(tmp_path / "results.csv", collect(jobs))
    with open(tmp_path / "results.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    row = next(r for r in rows if (r["recipe"], r["seed"]) == ("less", "2"))
    assert (row[f"test/{MAE}"], row[f"val/{MAE}"], row["best_update"]) == ("0.8", "0.4", "20")


def test_markdown_holds_command_tables_and_what_each_recipe_changes(jobs, tmp_path):
    table.write_markdown(tmp_path / "results.md", collect(jobs), jobs, "cmsbert ablate full less")
    text = (tmp_path / "results.md").read_text()
    for part in (
        "    cmsbert ablate full less",
        "| full | 3 | 0.600 ± 0.100 |",
        "| less | +0.200 | -0.048 to +0.448 | 0.250 | 0.500 | 0.17 (0.00 to 0.56) | 3 |",
        "| full | 0.600 (0.500 to 0.700) |",
        "| less | 0.326 | 3 | 5 |",
        "Corr \u2191 difference",
        "smallest p that 3 pairs can give is 0.25",
    ):
        assert part in text


def test_what_a_recipe_changes_is_told_key_by_key(planned):
    jobs = planned(["a", "b"], seeds=2)
    losses = [{"type": "l1"}, {"type": "clr", "params": {"weight": 0.1, "label_smoothing": 0.1}}]
    others = [{"type": "l1"}, {"type": "clr", "params": {"weight": 0.1, "label_smoothing": 0}}]
    for job in jobs:
        model = {"losses": losses if job.recipe == "a" else others, "pairs": [["text", "visual"]]}
        job.config.clear()
        job.config.update(model_config={"cmsbert": model})
    assert list(what_changes(jobs)) == [("b", ["losses[1].params.label_smoothing: 0.1 -> 0"])]


def test_a_table_that_a_line_cannot_hold_goes_on_below(jobs):
    console = Console(width=34, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    table.show(table.scores(collect(jobs)), console)
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert all(len(line) <= 34 for line in lines)
    assert "full       3  0.600 ± 0.100" in lines and "full    0.400 ± 0.100" in lines


def test_scores_on_synthetic_data_are_marked(jobs, tmp_path):
    results = collect(jobs)
    assert "SYNTHETIC" not in table.note(results)
    for run in results.runs:
        run.record["config"]["dataset_config"] = {"mosi": {"synthetic": {"seed": 1}}}
    assert table.note(results).startswith("SYNTHETIC DATA")
    table.write_markdown(tmp_path / "results.md", results, jobs, "cmsbert ablate")
    assert "**SYNTHETIC DATA" in (tmp_path / "results.md").read_text()


def test_runs_link_to_their_reports(jobs, tmp_path):
    results = collect(jobs)
    folder = results.runs[0].job.folder
    (folder / "report.html").write_text("")
    head, first, second, *_ = table.reports(results, folder.parent.parent)
    assert head == ["recipe", "base", "seed", "report"]
    assert first == ["full", "-", "1", "[report.html](full/seed_1/report.html)"]
    assert second[-1] == "-"


def test_the_plot_shows_every_metric(jobs, tmp_path):
    pytest.importorskip("matplotlib", reason="the plot needs matplotlib, which is optional")
    from mmf_cmsbert.experiments import plot

    plot.write(collect(jobs), tmp_path / "results.png", tmp_path / "results.svg")
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "results.svg").read_text()
    assert "MAE (lower is better)" in text and "Corr (higher is better)" in text
