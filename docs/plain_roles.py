"""A hook of mkdocs: ``:class:`~a.b.Name``` in a docstring becomes ``Name`` as code."""

import re
from typing import Any

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc|obj):<code>~?\.?([^<]+)</code>")


def on_page_content(html: str, **_: Any) -> str:
    """Replace the roles in a page.

    Args:
        html: the page as mkdocs rendered it.

    Returns:
        The page with plain code instead.
    """
    return _ROLE.sub(lambda role: f"<code>{role[1].removeprefix('mmf_cmsbert.')}</code>", html)
