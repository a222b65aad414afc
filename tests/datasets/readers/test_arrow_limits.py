"""Arrow files whose size in memory is unknown are refused."""

import numpy as np
import pyarrow as pa
import pytest

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.errors import DataError

pytest.importorskip("datasets", reason="reads the files that are not refused")
ROWS = pa.record_batch(
    {"text": ["good film"], "label": [0.5], "visual": [np.zeros(200_000, np.float32)]}
)


def write(path, opened, compression=None, rows=ROWS):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, opened(sink, rows.schema, options=options) as writer:
        writer.write_batch(rows)
    return path


@pytest.mark.parametrize("opened", [pa.ipc.new_stream, pa.ipc.new_file])
@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_a_compressed_file_is_refused(tmp_path, opened, compression):
    file = write(tmp_path / "train.arrow", opened, compression)
    segments = read_files([file], "train", widths={"visual": 50})
    if compression is None:
        assert next(segments).frames["visual"].shape == (4000, 50)
    else:
        with pytest.raises(DataError, match="train.arrow: Arrow with compression or .* or Parquet"):
            next(segments)


def test_a_text_that_a_dictionary_repeats_is_refused(tmp_path):
    texts = pa.array(["good film"] * 1000).dictionary_encode()
    rows = pa.record_batch({"text": texts, "label": np.zeros(1000)})
    with pytest.raises(DataError, match="train.arrow: Arrow with compression or dictionaries"):
        list(read_files([write(tmp_path / "train.arrow", pa.ipc.new_stream, rows=rows)], "train"))
