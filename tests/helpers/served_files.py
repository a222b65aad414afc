"""The files of a local server, and its behaviour."""

import io

import h5py
import numpy as np

from mmf_cmsbert.datasets.download.download import available
from mmf_cmsbert.datasets.readers.canonical import canonical_videos

VIDEO = canonical_videos("mosi", "train")[0]
WORDS = "CMU_MOSI_TimestampedWords.csd"
LABELS = "CMU_MOSI_Opinion_Labels.csd"


def sequence(name="words", rows=((b"good",), (b"film",)), video=VIDEO, filler=0):
    """Return the bytes of a computational sequence; ``filler`` makes it larger."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        group = file.create_group(f"{name}/data/{video}")
        group["features"] = np.array(rows)
        group["intervals"] = np.arange(2.0 * len(rows)).reshape(-1, 2)
        file[f"{name}/metadata/filler"] = np.random.default_rng(1).integers(
            256, size=filler, dtype=np.uint8
        )
    return content.getvalue()


class Site:
    """The files of the server, and its behaviour."""

    def __init__(self):
        self.files = {available("mosi")["words"]: sequence(filler=100_000)}
        self.etag, self.changed, self.ranges, self.length = '"one"', None, True, True
        self.cuts, self.asked, self.most = [], [], 10**9
        self.moved = {}
        self.status, self.kind = 200, "application/octet-stream"


def words(site):
    return site.files[available("mosi")["words"]]


def ranges(site):
    return [asked.get("Range") for asked in site.asked]
