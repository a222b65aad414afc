"""The records behind docs/results/claims.md, and the tables that are computed from them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "projects" / "cmsbert" / "claims"


@pytest.fixture(scope="module", autouse=True)
def scripts():
    sys.path.insert(0, str(SCRIPTS))  # as where a script is started, for the scripts it imports
    yield
    sys.path.remove(str(SCRIPTS))


def run_record(seed, mae, recipe="cms", status="finished"):
    return {
        "format": 1,
        "status": status,
        "seed": seed,
        "commit": {"hash": "a" * 40, "dirty": False},
        "code_sha256": "c",
        "versions": {"torch": "2", "transformers": "5", "mmf": "1"},
        "machine": {"system": "Linux", "gpu": None, "threads": 1, "host": "mine"},
        "data": {"mosi": {"train": {"/home/me/mosi.pkl": "d" * 64}}},
        "backbone": "b",
        "criterion": {"name": "mosi/sentiment_mae", "minimize": True},
        "config": {"dataset_config": {"mosi": {"synthetic": None}}},
        "best": {"update": 20, "value": mae},
        "updates": 30,
        "validation": {"mosi/sentiment_mae": mae},
        "test": {"mosi/sentiment_mae": mae + 0.1},
    }


@pytest.fixture
def experiment(tmp_path):
    """Two recipes with two seeds: cms is better by 0.1 and 0.3."""
    scores = {("cms", 1): 1.0, ("cms", 2): 1.1, ("mag", 1): 1.1, ("mag", 2): 1.4}
    for (recipe, seed), mae in scores.items():
        folder = tmp_path / "runs" / recipe / "mosi" / f"seed_{seed}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(run_record(seed, mae)))
        lines = [{"format": 1}] + [
            {"update": u, "epoch": 1, "validation": {"mosi/sentiment_mae": mae + more}}
            for u, more in ((10, 0.5), (20, 0.0), (30, 0.2))
        ]
        (folder / "history.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    return tmp_path


def test_a_record_holds_the_runs_and_no_folder_of_the_machine(experiment):
    from keep import kept

    content = kept([experiment], ["cmsbert ablate cms mag"], "About.")
    assert [(r["recipe"], r["base"], r["seed"]) for r in content["runs"]] == [
        ("cms", "mosi", 1),
        ("cms", "mosi", 2),
        ("mag", "mosi", 1),
        ("mag", "mosi", 2),
    ]
    assert content["runs"][0]["curve"] == [[10, 1.5], [20, 1.0], [30, 1.2]]
    assert content["data_sha256"] == ["d" * 64] and content["machine"]["threads"] == 1
    text = json.dumps(content)
    assert "/home/me" not in text and "mine" not in text and str(experiment) not in text


def test_runs_that_did_not_finish_are_left_out(experiment):
    from keep import kept

    for file in experiment.rglob("run.json"):
        record = json.loads(file.read_text())
        if record["seed"] == 2:
            file.write_text(json.dumps(record | {"status": "interrupted"}))
    assert len(kept([experiment], ["c"], "About.")["runs"]) == 2
    with pytest.raises(SystemExit, match="no finished run"):
        kept([experiment / "runs/none"], ["c"], "About.")


def test_a_record_can_hold_a_part_of_the_runs_under_another_name(experiment):
    from keep import kept

    content = kept([experiment], ["c"], "About.", labels=["fast"], recipes=["mag"], bases="^mosi$")
    assert [run["recipe"] for run in content["runs"]] == ["mag fast"] * 2
    assert kept([experiment], ["c"], "About.", bases="fold")["runs"] == []


def test_tables_are_computed_from_the_runs(experiment):
    from keep import kept
    from tables import TABLES

    record = kept([experiment], ["c"], "About.")
    _, cms, mag = TABLES["scores"](record, "recipe=cms", "sentiment_mae")
    assert cms[:4] == ["`cms`", "2", "1.050 ± 0.071", "1.150 ± 0.071"]
    assert mag[:4] == ["`mag`", "2", "1.250 ± 0.212", "1.350 ± 0.212"]
    # The differences 0.1 and 0.3; two pairs can give a p of 0.5 at least.
    assert mag[4] == "+0.200" and mag[6] == "0.500"
    header, *rows = TABLES["convergences"](record)
    assert header[4] == "last" or "regret" in header
    assert rows[0][header.index("regret")] == "0.200 ± 0.000"


def test_a_figure_that_differs_from_its_record_is_found(experiment, tmp_path, monkeypatch):
    import claims
    from keep import kept

    (tmp_path / "one.json").write_text(json.dumps(kept([experiment], ["the command"], "About.")))
    page = tmp_path / "claims.md"
    page.write_text(
        "# Claims\n\n<!-- about: one -->\n<!-- end -->\n\n"
        "<!-- table: scores one recipe=cms sentiment_mae -->\n<!-- end -->\n"
    )
    monkeypatch.setattr(claims, "PAGE", page)
    rendered = claims.rendered
    monkeypatch.setattr(claims, "rendered", lambda text, drawn: rendered(text, tmp_path, drawn))
    monkeypatch.setattr("sys.argv", ["claims.py"])
    claims.main()
    written = page.read_text()
    assert "    the command\n" in written and "| `cms` | 2 | 1.050 ± 0.071 |" in written
    monkeypatch.setattr("sys.argv", ["claims.py", "--check"])
    claims.main()
    page.write_text(written.replace("1.050", "1.049"))
    with pytest.raises(SystemExit, match=r"differs from its records at: .*1\.049"):
        claims.main()


def test_what_differs_between_runs_is_all_named(experiment):
    from claims import about
    from keep import kept

    for file in experiment.rglob("seed_2/run.json"):
        record = json.loads(file.read_text())
        record["versions"] |= {"torch": "3"}
        record["machine"] |= {"gpu": "NVIDIA H100"}
        record["commit"] = {"hash": "b" * 40, "dirty": False}
        file.write_text(json.dumps(record))
    assert about(kept([experiment], ["c"], "About.")).splitlines()[-1] == (
        "4 runs; seeds 1, 2; data sha256 dddddddddddd; commit aaaaaaaaa, bbbbbbbbb; "
        "torch 2 and 3, transformers 5, MMF 1; 1 CPU thread a run and NVIDIA H100."
    )


def test_a_picture_is_drawn_from_its_record_and_refused_if_the_record_changes(experiment, tmp_path):
    pytest.importorskip("matplotlib")
    import claims
    from keep import kept

    records = tmp_path / "records"
    records.mkdir()
    record = kept([experiment], ["c"], "About.")
    (records / "one.json").write_text(json.dumps(record))
    page = "<!-- figure: one validations -->\n<!-- end -->\n"
    with pytest.raises(SystemExit, match=r"one_validations\.svg is not drawn from the record one"):
        claims.rendered(page, records, drawn=False)

    written = claims.rendered(page, records)
    assert "\n![Validation error during training](figures/one_validations.svg)\n" in written
    assert claims.rendered(written, records, drawn=False) == written
    picture = tmp_path / "figures/one_validations.svg"
    first = picture.read_text()
    assert ">cms</text>" in first and ">mag</text>" in first
    picture.unlink()
    claims.rendered(written, records)
    assert picture.read_text() == first

    record["runs"][0]["curve"][0][1] = 1.4
    (records / "one.json").write_text(json.dumps(record))
    with pytest.raises(SystemExit, match="run claims.py"):
        claims.rendered(written, records, drawn=False)
    claims.rendered(written, records)
    assert picture.read_text() != first


def curve(recipe, kind, modality, seed, added):
    """A curve of `cmsbert robustness`, whose error grows by twice what is added on average."""
    values = [{"value": 1.0}, {"value": 1.0 + 2 * added}]
    run = f"{recipe}/base/seed_{seed}"
    given = {"run": run, "kind": kind, "modality": modality, "levels": [0, 1], "errors": values}
    return given | {"mean_added": added}


@pytest.fixture
def damages():
    """Damage adds 0.1 and 0.2 to the error of cms, three times as much to that of mag."""
    curves = [
        curve(recipe, kind, modality, seed, 0.1 * seed * factor)
        for recipe, factor in (("cms", 1), ("mag", 3))
        for kind in ("frames", "noise")
        for modality in ("visual", "all")
        for seed in (1, 2)
    ]
    return {"added": [{"curves": curves}]}


def test_added_errors_of_recipes_are_compared_by_run(damages):
    from tables import TABLES

    header, *rows = TABLES["damage_differences"](damages, "mag", "cms")
    assert [row[:2] for row in rows] == [
        [kind, modality] for kind in ("lost frames", "noise") for modality in ("visual", "all")
    ]
    # 0.3 - 0.1 and 0.6 - 0.2
    assert rows[0][header.index("pairs") :][:2] == ["2", "+0.300"]


def test_the_figures_of_lengths_tell_length_from_content():
    torch = pytest.importorskip("torch")
    from lengths import compared

    words = torch.arange(5, 65) % 12 + 3
    angles = words.double() / 15
    length = torch.stack([angles.cos(), angles.sin()], dim=1)
    content = torch.nn.functional.normalize(torch.randn(60, 8, generator=torch.manual_seed(0)))
    by_length = compared([(length, length)], words)
    assert by_length["all"] > 0.9 and by_length["equal"] == 0.5  # ties
    by_content = compared([(content, content)], words)
    assert by_content["all"] == by_content["equal"] == 1
    # five segments of each length tie for the first five places, and no other length comes before
    assert by_length["recall_10_of_lengths"] == 1


def test_runs_without_a_base_are_not_taken_for_one_recipe():
    from tables import recipe_of

    assert recipe_of("cms/fold_1/seed_1") == "cms"
    with pytest.raises(SystemExit, match="expected RECIPE/BASE/seed_N"):
        recipe_of("runs/cms/seed_1")


def test_the_picture_of_damage_has_a_panel_for_each_damage_and_modality(damages, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    from figures import damage

    file = tmp_path / "damage.svg"
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        damage(damages, file, "visual")
    text = file.read_text()
    assert "lost frames, visual" in text and "noise, visual" in text and ", all" not in text


@pytest.mark.parametrize("kind", ["shares", "sizes"])
def test_the_pictures_of_shares_have_a_panel_for_each_placement(kind, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    from figures import FIGURES

    record = json.loads((ROOT / "docs/results/records/cues_draws.json").read_text())
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        FIGURES[kind][1](record, tmp_path / "drawn.svg")
    text = (tmp_path / "drawn.svg").read_text()
    for name in ("own", "other", "spread", "reference", "text_only", "mag", "cms", "cms_clr"):
        assert f">{name}</text>" in text


def test_the_page_has_the_figures_of_its_records():
    call = [sys.executable, str(SCRIPTS / "claims.py"), "--check"]
    shown = subprocess.run(call, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
