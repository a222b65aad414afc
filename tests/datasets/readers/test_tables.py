"""Lists of segments as written by common programs."""

import json

import pytest

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.readers.tables import read_table
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, UserError

ROWS = [
    {"id": "v[0]", "text": "not, great", "label": "-1.5", "split": "train", "speaker": "anna"},
    {"id": "v[1]", "text": "fine; really", "label": "2", "split": "train", "speaker": "ben"},
]


def table(delimiter=",", rows=ROWS, decimal=".", quote='"'):
    lines = [delimiter.join(rows[0])]
    for row in rows:
        row = row | {"label": row["label"].replace(".", decimal)}
        lines.append(delimiter.join(f"{quote}{cell}{quote}" for cell in row.values()))
    return "\r\n".join(lines) + "\r\n"


LISTS = {
    "segments.csv": table().encode(),
    "marked.csv": table().encode("utf-8-sig"),
    "excel.csv": table(";", decimal=",").encode(),
    "points.csv": table(";").encode(),
    "told.csv": b"sep=;\r\n" + table(";", decimal=",").encode(),
    "tabs.csv": table("\t").encode(),
    "tabs.tsv": table("\t", quote="").encode(),
    "unicode.TSV": table("\t", decimal=",").encode("utf-16"),
    "big.csv": table().encode("utf-16-be").join([b"\xfe\xff", b""]),
    "array.json": json.dumps(ROWS).encode(),
    "indented.json": json.dumps(ROWS, indent=1).encode("utf-8-sig"),
    "array.jsonl": json.dumps(ROWS).encode(),
    "lines.jsonl": "\n\n".join(map(json.dumps, ROWS)).encode("utf-16"),
}


@pytest.mark.parametrize("name", LISTS)
def test_the_same_segments_whatever_the_form(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(LISTS[name])
    source = find_source([path])
    assert source.files == {"train": [path]} and source.layouts == ("folder",)
    one, two = the_segments(read_files([path], "train"))
    assert (one.id, one.video, one.words, one.label) == ("v[0]", "v", ("not,", "great"), -1.5)
    assert (two.words, two.label) == (("fine;", "really"), 2.0)
    assert [s.metadata for s in (one, two)] == [{"speaker": "anna"}, {"speaker": "ben"}]


@pytest.mark.parametrize("name", ["segments.tsv", "segments.json"])
def test_a_folder_is_known_by_the_name_of_its_list(tmp_path, name):
    (tmp_path / name).write_bytes(LISTS["tabs.tsv" if name.endswith("v") else "array.json"])
    assert find_source([tmp_path]).files == {"train": [tmp_path]}


def test_columns_of_mmsas_labels(tmp_path):
    path = tmp_path / "label.csv"
    path.write_text(
        "video_id,clip_id,text,label,label_T,annotation,mode\n"
        "03bSnISJMiM,1,ANYHOW IT WAS GOOD,2.4,1.0,Positive,valid\n"
    )
    ((segment,),) = [list(the_segments(read_files([path], "val")))]
    assert (segment.id, segment.video, segment.label) == ("03bSnISJMiM$_$1", "03bSnISJMiM", 2.4)
    assert segment.metadata == {"label_T": "1.0", "annotation": "Positive"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            b"id,text\n1,caf\xe9\n",
            "line 2 is not UTF-8 text; as Windows' cp1252 it reads "
            "'1,café'; .* iconv -f cp1252 -t utf-8 a.csv",
        ),
        ("a.csv", b"id,text\n1,caf\x81\n", "line 2 is not UTF-8 text; save"),
        ("a.csv", "id,text\n".encode("utf-16-le"), "zero bytes, as UTF-16 without"),
        ("a.csv", b"id;text;label;start\n1;a;1,5;0.5\n", "start is '0.5', but .* decimal mark"),
        ("a.csv", b"id,text,label,labels\n1,a,1,2\n", "line 2: 'label' and 'labels' both"),
        ("a.csv", b'id,text,label\n1,a,"1,5"\n', "label is str '1,5'; expected a number, such as"),
        ("a.csv", b"id,id,text\n", "a column occurs twice"),
        ("a.json", b'{"id": "a"}', "expected an array of objects"),
        ("a.json", b"[" + b"1" * 5000 + b"]", "a.json is not JSON .Exceeds the limit"),
        ("a.json", b"[" * 100_000, "a.json is not JSON .nested too deeply"),
        ("a.json", b'[{"id": "a"},]', "line 1 is not JSON"),
        ("a.json", b"[1]", "object 1: expected an object"),
        ("a.txt", b"id,text\n1,a\n", "expected a pickle, found a text file; .*.csv"),
        ("a.xlsx", b"PK\x03\x04", "a spreadsheet; save it as CSV"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        list(the_segments(read_files([path], "train")))
    assert str(path) in str(error.value)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.datasets.readers.tables._LONGEST_LINE", 64)
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "b" * 90}))
    with pytest.raises(DataError, match="more than 64 characters"):
        list(read_table(path))


def test_the_index_of_pandas_and_empty_cells(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",id,text,label\n0,a,b,\n")
    ((_, row),) = read_table(path)
    assert row == {"column 1": "0", "id": "a", "text": "b"}
