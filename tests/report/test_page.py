"""The size of a page, and its script."""

from mmf_cmsbert.report import page
from mmf_cmsbert.report.collected import HeatMap, Part, ScoredSegment
from mmf_cmsbert.report.heat import BYTES, with_some_heat
from mmf_cmsbert.report.rows import embedded, table


def test_json_in_a_page_ends_no_script():
    text = embedded({"text": "</script><!--<script>&"})
    assert not any(mark in text for mark in "<>&")


def test_a_page_shrinks_until_it_fits():
    asked = []

    def make(heat, most):
        asked.append((heat, most))
        return "x" * int(page.LARGEST * (0.5 + heat) * most / 900)

    assert len(page.fitted(make, 1000)) <= page.LARGEST
    assert asked[0] == (1.0, 1000) and asked[-1][0] < 1 and len(asked) > 1


def long_segment(i):
    rows = ["A" * 48] * 30
    heat = {m: HeatMap(frames=500, largest=0.1, rows=rows) for m in ("visual", "acoustic")}
    sizes = [0.1234] * 30
    return ScoredSegment(
        id=f"some-video-of-mosei[{i}]", words=[f"word{j}" for j in range(30)], label=i % 7 - 3,
        score=i % 5 - 2, modalities=list(heat), shift=sizes, shifts=dict.fromkeys(heat, sizes),
        heat=heat,
    )  # fmt: skip


def test_the_segments_of_mosei_fit_into_five_megabytes():
    segments = with_some_heat([long_segment(i) for i in range(4659)], BYTES)
    part = Part(dataset="mosei", split="test", counts={}, segments=segments)
    text, shown = table(segments, [[s.score] for s in part.segments], 4659)
    assert shown == 4659 and len(text) < 4_300_000
    assert 100 < sum(bool(s.heat) for s in segments) < 1000


def test_of_too_many_segments_the_worst_and_others_stay():
    segments = [long_segment(i) for i in range(100)]
    segments[37] = segments[37].model_copy(update={"score": 9.0})
    text, shown = table(segments, [[s.score] for s in segments], 20)
    assert shown <= 20 and "[37]" in text and '"n":37' in text
