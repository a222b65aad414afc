"""The page of a report: templates filled, within the limit of its size."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from mmf_cmsbert import __version__
from mmf_cmsbert.report import svg

LARGEST = 4_800_000  # bytes; stated as 5 MB
CLASSES = [(str(i), f"{i:+d}".replace("-", "\N{MINUS SIGN}") if i else "0") for i in range(-3, 4)]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mmf_cmsbert.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    script = _source("segments.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals.update(
        css=Markup(_source("page.css")),
        js=Markup(script),
        # Only this script may run, even if the text of a segment contains markup.
        script_hash=f"sha256-{digest}",
        svg=svg.draw,
        version=__version__,
        classes=CLASSES,
    )
    return environment


def _source(name: str) -> str:
    return (resources.files("mmf_cmsbert.report") / "templates" / name).read_text("utf-8")


def render(template: str, context: Mapping[str, Any]) -> str:
    """The page of a template.

    Args:
        template: its name, without endings.
        context: its values; texts are escaped.
    """
    written = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
    return _environment().get_template(f"{template}.html.j2").render(context, written=written)


def fitted(make: Callable[[float, int], str], segments: int) -> str:
    """The largest page within the limit.

    Args:
        make: makes the page with a share of the heat maps, and at most so many segments.
        segments: number of segments.
    """
    page = ""
    for heat, share in ((1.0, 1.0), (0.4, 1.0), (0.0, 1.0), (0.0, 0.5), (0.0, 0.2), (0.0, 0.05)):
        page = make(heat, max(1, int(segments * share)))
        if len(page.encode()) <= LARGEST:
            break
    return page
