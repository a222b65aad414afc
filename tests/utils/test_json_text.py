"""JSON is parsed if its objects fit into memory."""

import json

import pytest

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.records import record
from mmf_cmsbert.utils import json_text


@pytest.mark.parametrize("text", ['{"a": [1, "b", null]}', b'[{"a": 1.5}]', "\ufeff1"[1:]])
def test_json_is_parsed_as_by_the_library(text):
    assert json_text.parse(text, "f.json") == json.loads(text)


@pytest.mark.parametrize("each", ["{}", "[]", '{"":{}}', "0", "[[[[[[]]]]]]"])
def test_objects_are_counted_before_they_are_made(each):
    text = f"[{','.join([each] * ((1 << 25) // (len(each) + 1)))}]"
    with pytest.raises(DataError, match=r"f\.json: JSON of [\d,]+ objects .* MiB of memory"):
        json_text.parse(text, "f.json")
        pytest.fail(each)


def test_what_is_nested_too_deeply_is_no_json():
    with pytest.raises(ValueError, match="nested too deeply"):
        json_text.parse("[" * 100_000, "f.json")


def test_a_record_of_empty_objects_is_refused(tmp_path):
    (tmp_path / "run.json").write_text(f"[{'{},' * (20 << 20)}{{}}]")
    with pytest.raises(DataError, match="run.json: JSON of"):
        record.read(tmp_path)
    assert record.find(tmp_path) is None
