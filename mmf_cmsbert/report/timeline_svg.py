"""The timeline of a clip as inline SVG, a row for each quarter of a minute."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup, escape

from mmf_cmsbert.report.clips import ClipTimeline, TimedSegment

ROW = 15.0  # seconds
_WIDTH, _LEFT, _RIGHT = 1160, 88, 48
_LETTER, _LANES, _LANE = 7.2, 4, 20
_QUIETEST, _LOUDEST = -60.0, 0.0
# Tops and heights of the tracks.
_WORDS = 8
_SENTIMENT, _SENTIMENT_HEIGHT = _WORDS + _LANES * _LANE + 14, 72
_VOICE, _VOICE_HEIGHT = _SENTIMENT + _SENTIMENT_HEIGHT + 14, 40
_FACE, _FACE_HEIGHT = _VOICE + _VOICE_HEIGHT + 12, 12
_AXIS = _FACE + _FACE_HEIGHT + 8
_HEIGHT = _AXIS + 20


def rows(clip: ClipTimeline, low: float = -3.0, high: float = 3.0) -> Iterator[Markup]:
    """Yield the elements ``svg`` of a clip, in the order of time.

    Args:
        clip: the clip.
        low: the lowest score.
        high: the highest score.
    """
    largest = max((w.shift or 0.0 for s in clip.segments for w in s.words), default=0.0)
    start = 0.0
    while start < max(clip.seconds, 0.1):
        yield Markup("".join(_row(clip, start, largest or 1.0, low, high)))
        start += ROW


def _row(
    clip: ClipTimeline, start: float, largest: float, low: float, high: float
) -> Iterator[str]:
    end = min(start + ROW, clip.seconds)
    yield (
        f'<svg class="timeline" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="'
        f'{escape(clip.name)}, {start:.0f} to {end:.0f} seconds">'
    )
    zero = min(max(0.0, low), high)
    labels = {
        "words": _WORDS + 14,
        "score": _SENTIMENT + _SENTIMENT_HEIGHT / 2 + 4,
        "loudness": _VOICE + 24,
    }
    for name, v in (labels | {"face": _FACE + 11}).items():
        yield f'<text class="tick" x="0" y="{v}">{name}</text>'
    for value in sorted({low, zero, high}):
        v, text = _v(value, low, high), _number(value, "+g" if value else "g")
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{v}" y2="{v}"/>'
        yield f'<text class="tick" x="{_LEFT - 6}" y="{v + 4}" text-anchor="end">{text}</text>'
    yield from _axis(start, end)
    shown = [s for s in clip.segments if s.start < end and s.end > start]
    yield from _words(shown, start, end, largest)
    for segment in shown:
        yield _bar(segment, start, end, low, high)
    yield _loudness(clip, start, end)
    yield from _faces(clip, start, end)
    yield "</svg>"


def _h(time: float, start: float) -> float:
    share = min(max((time - start) / ROW, 0.0), 1.0)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _v(value: float, low: float, high: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return round(_SENTIMENT + (1 - share) * _SENTIMENT_HEIGHT, 1)


def _number(value: float, form: str) -> str:
    return format(value, form).replace("-", "\N{MINUS SIGN}")


def _axis(start: float, end: float) -> Iterator[str]:
    for second in range(int(start), int(end) + 1):
        h = _h(second, start)
        yield f'<line class="axis" x1="{h}" x2="{h}" y1="{_AXIS - 4}" y2="{_AXIS}"/>'
        if not second % 3 or end - start < 6:
            text = f"{second // 60}:{second % 60:02d}"
            yield f'<text class="tick" x="{h}" y="{_AXIS + 14}" text-anchor="middle">{text}</text>'


def _words(segments: list[TimedSegment], start: float, end: float, largest: float) -> Iterator[str]:
    free = [0.0] * _LANES  # where each lane of words is empty
    for word in (w for s in segments for w in s.words if start <= w.start < end):
        h, width = _h(word.start, start), len(word.text) * _LETTER + 6
        lane = min(range(_LANES), key=lambda i: (max(free[i] - h, 0.0), i))
        h = max(h, free[lane])
        free[lane] = h + width + 3
        top = _WORDS + lane * _LANE
        strength = (word.shift or 0.0) / largest
        shift = "cut off" if word.shift is None else f"shift {word.shift:.3f}"
        yield (
            f'<g><rect x="{h:.1f}" y="{top}" width="{width:.1f}" height="{_LANE - 3}" rx="3" '
            f'style="fill:rgba(var(--shift),{0.75 * strength:.2f})"/>'
            f'<text class="label" x="{h + 3:.1f}" y="{top + 13}">{escape(word.text)}</text>'
            f"<title>{escape(word.text)}, {word.start:.2f} to {word.end:.2f} s, {shift}</title></g>"
        )


def _bar(segment: TimedSegment, start: float, end: float, low: float, high: float) -> str:
    left, right = _h(max(segment.start, start), start), _h(min(segment.end, end), start)
    zero, value = min(max(0.0, low), high), segment.score
    text = segment.answer if value is None else _number(value, "+.1f")
    base, v = _v(zero, low, high), _v(zero if value is None else value, low, high)
    height = max(abs(base - v), 1.0)
    share = ((value or 0.0) - zero) / max(abs(low - zero), abs(high - zero))
    step = max(1, min(3, round(3 * abs(share))))
    colour = "neutral" if not share else f"{'positive' if share > 0 else 'negative'}{step}"
    return (
        f'<g><rect class="f-{colour}" x="{left}" y="{min(base, v):.1f}" '
        f'width="{max(right - left - 2, 1):.1f}" height="{height:.1f}" rx="2"/>'
        f'<text class="label" x="{(left + right) / 2:.1f}" '
        f'y="{v + 12 if v > base else v - 4:.1f}" text-anchor="middle">{escape(text)}'
        f"</text><title>{escape(segment.id)}: {escape(text)}, with text"
        f"{''.join(f' and {m}' for m in segment.modalities)}</title></g>"
    )


def _loudness(clip: ClipTimeline, start: float, end: float) -> str:
    levels = clip.loudness[round(start * 10) : round(end * 10)]
    if not levels:
        return f'<text class="tick" x="{_LEFT}" y="{_VOICE + 24}">no sound</text>'
    bottom = _VOICE + _VOICE_HEIGHT
    points = [f"{_h(start, start)},{bottom}"]
    for i, level in enumerate(levels):
        share = min(max((level - _QUIETEST) / (_LOUDEST - _QUIETEST), 0.0), 1.0)
        points.append(f"{_h(start + (i + 0.5) / 10, start)},{bottom - share * _VOICE_HEIGHT:.1f}")
    points.append(f"{_h(start + len(levels) / 10, start)},{bottom}")
    return f'<polygon class="f-acoustic" points="{" ".join(points)}"/>'


def _faces(clip: ClipTimeline, start: float, end: float) -> Iterator[str]:
    if not clip.face_times:
        yield f'<text class="tick" x="{_LEFT}" y="{_FACE + 11}">not searched</text>'
        return
    yield (
        f'<rect class="none" x="{_LEFT}" y="{_FACE}" width="{_h(end, start) - _LEFT:.1f}" '
        f'height="{_FACE_HEIGHT}" rx="2"/>'
    )
    step = clip.face_times[-1] / max(len(clip.face_times) - 1, 1)
    pictures = zip(clip.face_times, clip.face_present, strict=True)
    for present, group in groupby(pictures, key=lambda each: each[1]):
        times = [time for time, _ in group]
        first, last = max(times[0], start), min(times[-1] + step, end)
        if present and first < last:
            left, right = _h(first, start), _h(last, start)
            yield (
                f'<rect class="f-visual" x="{left}" y="{_FACE}" width="{right - left:.1f}" '
                f'height="{_FACE_HEIGHT}" rx="2"><title>a face from {first:.1f} to {last:.1f} s'
                "</title></rect>"
            )
