"""mkdocs hook: show ``:class:`~a.b.Name``` in a docstring as ``Name`` in code style."""

import re
from typing import Any

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc|obj):<code>~?\.?([^<]+)</code>")


def on_page_content(html: str, **_: Any) -> str:
    """Replace the roles in a page.

    Args:
        html: the page rendered by mkdocs.

    Returns:
        The page with the roles replaced.
    """
    return _ROLE.sub(lambda role: f"<code>{role[1].removeprefix('mmf_cmsbert.')}</code>", html)
