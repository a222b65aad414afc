"""The size of a page, and its script."""

from reported_runs import long_segment

from mmf_cmsbert.report import page
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


def test_the_segments_of_mosei_fit_into_five_megabytes(page_of_mosei):
    text = page_of_mosei.read_text()
    assert 2_000_000 < len(text.encode()) < 5_000_000
    assert text.count('"i":"some-video-of-mosei[') == 4659
    assert "have heat maps: those with the largest errors" in text


def test_of_too_many_segments_the_worst_and_others_stay():
    segments = [long_segment(i) for i in range(100)]
    segments[37] = segments[37].model_copy(update={"score": 9.0})
    text, shown = table(segments, [[s.score] for s in segments], 20)
    assert shown <= 20 and "[37]" in text and '"n":37' in text
