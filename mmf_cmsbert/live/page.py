"""The page itself, with Gradio: record or upload, then the transcript, the scores, the timeline."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import UserError
from mmf_cmsbert.live.scoring import ClipScores
from mmf_cmsbert.media.extractor import library
from mmf_cmsbert.report import clip_page

_NAMES = {"acoustic": "voice", "visual": "face"}


def serve(
    scored: Callable[[Path], ClipScores],
    title: str,
    address: str,
    port: int,
    megabytes: int,
    seconds: float,
    kept: str = "",
) -> None:
    """Serve the page until the command is interrupted.

    Args:
        scored: scores a clip.
        title: the model's name.
        address: of this machine, ``127.0.0.1`` for this machine alone.
        port: of the server.
        megabytes: largest size of a clip.
        seconds: largest length of a clip, for the page's text.
        kept: where clips are kept; empty if they are not.

    Raises:
        ConfigError: Gradio is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with tempfile.TemporaryDirectory(prefix="cmsbert_live_") as uploads:
        # Uploads are written there, and removed after each clip, and at the end.
        os.environ["GRADIO_TEMP_DIR"] = uploads
        gradio = library("gradio", "gradio", "cmsbert live")
        page = _page(gradio, scored, title, seconds, kept)
        page.launch(
            server_name=address,
            server_port=port,
            share=False,
            max_file_size=megabytes << 20,
            footer_links=[],
            quiet=True,
            # No fonts from other servers.
            theme=gradio.themes.Base(font=["system-ui"], font_mono=["monospace"]),
        )


def _page(
    gradio: Any, scored: Callable[[Path], ClipScores], title: str, seconds: float, kept: str
) -> Any:
    def show(sound: str | None, video: str | None) -> str:
        given = video or sound
        if given is None:
            return _message("Record or choose a clip first.")
        file = Path(given)
        try:
            return html(scored(file))
        except UserError as error:
            return _message(str(error))
        finally:
            file.unlink(missing_ok=True)

    with gradio.Blocks(title="cmsbert live", analytics_enabled=False) as page:
        gradio.Markdown(
            f"# What did your voice add?\nModel `{title}`. Speak for up to {seconds:g} s, or "
            "choose a clip. It is computed on the machine of this server, and "
            + (f"kept there in {kept}." if kept else "not kept.")
        )
        with gradio.Row():
            # Without buttons, of which one shares the clip on a server.
            sound = gradio.Audio(
                sources=["microphone", "upload"], type="filepath", label="Voice", buttons=[]
            )
            video = gradio.Video(sources=["webcam", "upload"], label="Voice and face", buttons=[])
        button = gradio.Button("Score it", variant="primary")
        result = gradio.HTML()
        button.click(show, [sound, video], result, concurrency_limit=1)
    return page


def html(found: ClipScores) -> str:
    """Return the scores and the timeline of a clip as HTML; its text is escaped."""
    modalities = list(dict.fromkeys(name for each in found.segments for name in each.without))
    head = "".join(f"<th>{_NAMES.get(m, m)} added</th>" for m in modalities)
    rows = "".join(
        f"<tr><td>{escape(each.text)}</td><td><b>{_signed(each.score)}</b></td>"
        + "".join(
            f"<td>{_signed(each.score - each.without[m]) if m in each.without else 'missing'}</td>"
            for m in modalities
        )
        + "</tr>"
        for each in found.segments
    )
    notes = "".join(f"<p>The clip {escape(note)}.</p>" for note in found.notes)
    page = escape(clip_page.render(found.timelines, "Your clip"), quote=True)
    return (
        f"<table><thead><tr><th>What was said</th><th>Sentiment</th>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{notes}"
        f'<iframe title="The clip over time" srcdoc="{page}" sandbox="" '
        'style="width:100%;height:720px;border:0"></iframe>'
    )


def _message(text: str) -> str:
    return f'<p role="alert">{escape(text)}</p>'


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
