"""Charts as PNGs."""

import io

import pytest
from PIL import Image

from mmf_cmsbert.report.chart import PALETTE, Bars, Chart, Line, axis

pytest.importorskip("matplotlib")


def test_a_picture_has_the_charts_colours():
    from mmf_cmsbert.report import png

    chart = Chart(
        name="a",
        title="A title with $ and {braces}",
        reading="",
        x=axis("x", [0, 3]),
        y=axis("y $", [0, 2]),
        marks=[
            Bars([0.5], [2.0], 1.0, ["second"], ["a bar"], [(1.5, 2.5)]),
            Line([1, 2, 3], [0, float("nan"), 1], "main", dots=True),
        ],
        legend=[("a $ line", "main")],
    )
    picture = Image.open(io.BytesIO(png.draw(chart))).convert("RGB")
    assert picture.width > 700 and picture.height > 400
    bar = tuple(bytes.fromhex(PALETTE["second"][1:]))
    assert bar in {colour for _, colour in picture.getcolors(1 << 20)}
