"""From a template to an answer: Jinja2 with everything escaped, one inline style, and headers that forbid the rest."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from jinja2 import Environment
from litestar import Response
from markupsafe import Markup, escape

from api.description import HTML
from api.html import environment_in, policy_for
from api.pages.geometry import tidy
from api.pages.words import LANGUAGES, Words

TEMPLATES: Final = Path(__file__).with_name("templates")
STYLE: Final = "page.css"


class Look(msgspec.Struct, frozen=True):
    """What all pages share: their templates, their style, and the headers that go with it."""

    environment: Environment
    style: Markup
    headers: Mapping[str, str]


@cache
def look() -> Look:
    """Read once in a process. The policy names the only style by its hash; nothing else is let in, no script at all."""
    style = (TEMPLATES / STYLE).read_text(encoding="utf-8")
    environment = environment_in(TEMPLATES)
    environment.filters.update(tidy=tidy, breakable=breakable)
    return Look(environment, Markup(style), MappingProxyType(headers_for(style)))  # noqa: S704 - our own file


def breakable(text: str) -> Markup:
    """`text`, escaped, that may be broken behind the dots and underscores of a name like `structures.graphs`."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(text))))  # noqa: S704 - escaped before


def headers_for(style: str) -> dict[str, str]:
    """What browsers are told about a page with this inline style."""
    return {
        "Content-Security-Policy": policy_for(style),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Vary": "Accept-Language, Cookie",
    }


def with_form() -> dict[str, str]:
    """The headers in which a page with a form differs: it may be sent to us, and nowhere else."""
    return {"Content-Security-Policy": policy_for(str(look().style), forms="'self'")}


def html_of(template: str, words: Words, address: str | None = None, **context: Any) -> str:
    """A template of `templates/` with these values.

    `address` is the page's own with its query but for `locale`, ending in `?` or `&`: other languages are linked behind
    it; None where the page has no others.
    """
    found = look()
    return found.environment.get_template(template).render(
        say=words, language=words.language, languages=LANGUAGES, style=found.style, address=address, **context
    )


def page(
    template: str,
    words: Words,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    address: str | None = None,
    **context: Any,
) -> Response[str]:
    """The answer with this page; the values of `context` are the template's."""
    sent = {**look().headers, "Content-Language": words.language, **(headers or {})}
    html = html_of(template, words, address, **context)
    return Response(html, status_code=status, media_type=HTML, headers=sent)
