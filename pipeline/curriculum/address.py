"""Which addresses a resource may have: what is shown to learners must be safe to click."""

import re
from typing import Final
from urllib.parse import urlsplit

MAX_CHARS: Final = 2_000

# Blanks, control characters and what RFC 3986 keeps out of addresses: readers disagree on what they mean.
_FORBIDDEN: Final = re.compile(r'[\s\x00-\x1f\x7f-\x9f"<>\\^`{|}]')
_HOST: Final = re.compile(r"(?!-)[\w-]{1,63}(\.[\w-]{1,63})*")


def problem_with(url: str) -> str | None:
    """Why this is no address for learners, or None: it is `https`, with a host, and without a user's name."""
    if len(url) > MAX_CHARS:
        return f"is longer than {MAX_CHARS:,} characters"
    if not url.lower().startswith("https://"):
        return "must be an address that begins with https://"
    if _FORBIDDEN.search(url):
        return "has a blank or another character that no address may have"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is not a valid address"
    if "@" in parts.netloc:
        return "must not have a user name or a password"
    return None if _HOST.fullmatch(parts.hostname or "") else "must name a host"
