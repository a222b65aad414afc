"""Small JSON Lines and CSV files that would take gigabytes, or end the process, are refused."""

import json

import pytest

from mmf_cmsbert.datasets.readers import text_limits
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.errors import DataError

pytest.importorskip("datasets", reason="reads the files that are not refused")
ROW = {"text": "good", "label": 0.5}


def lines(*rows):
    return "".join(f"{json.dumps(row)}\n" for row in rows)


FILES = {
    "a key of its own in each row": (
        "train.jsonl",
        lines(*({**ROW, f"k{n}": 1} for n in range(5000))),
        "5,000 rows have 5,002 different keys, so .* 25,010,000 cells; expected at most 20,000,000",
    ),
    "nested keys": (
        "train.jsonl",
        lines(ROW, *({**ROW, "more": {f"k{n}": {}}} for n in range(3000))),
        "9,001 rows have 3,003 different keys",
    ),
    "lists in lists in the second row": (
        "train.jsonl",
        lines(ROW) + '{"text": "good", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n",
        "lists or objects in each other, 100,001 deep; expected at most 100",
    ),
    "columns": (
        "train.csv",
        f"text,label,{','.join(f'c{n}' for n in range(20_000))}\ngood,1,{',' * 19_999}\n",
        "its first line has .* columns; expected at most 10,000",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused_in_one_message(tmp_path, name):
    file, content, message = FILES[name]
    (tmp_path / file).write_text(content)
    with pytest.raises(DataError, match=f"{file}: {message}"):
        list(read_files([tmp_path / file], "train", "datasets"))


def test_brackets_and_colons_in_texts_are_no_lists_and_no_keys(tmp_path):
    smileys = {"text": ':[ :{ "a\\": ' * 20_000, "label": 0.5, "visual": [[[1.0]]]}
    file = tmp_path / "train.jsonl"
    for rest in ("", '{"text": "' + '\\"' * 100_000, '{"text": "\\'):
        file.write_text(lines(*[smileys] * 20) + rest)
        text_limits.check(file)


def test_rows_with_the_same_keys_can_be_many(tmp_path, monkeypatch):
    monkeypatch.setattr(text_limits, "_MOST_CELLS", 200)
    monkeypatch.setattr(text_limits, "_CHUNK", 1024)
    (tmp_path / "train.jsonl").write_text(lines(*[ROW] * 500))
    assert len(list(read_files([tmp_path / "train.jsonl"], "train"))) == 500
