"""Reading the request headers that say under which conditions an answer is wanted."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput

MOST_WAIT_SECONDS: Final = 30
PRINTABLE: Final = re.compile(r"[ -~]{1,255}")
IdempotencyKey = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[ -~]{1,255}$",
        description="1 to 255 printable ASCII characters. The same key and body get the same answer.",
    ),
]
WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:$|[,;])", re.IGNORECASE)
TAG: Final = re.compile(r'"([^"]*)"')
VERSION_IN_TAG: Final = re.compile(r"(\d{1,9})-")


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """The `Idempotency-Key`, if one is sent; raises `InvalidInput` for one that can't be."""
    key = headers.get("idempotency-key")
    if key is not None and not PRINTABLE.fullmatch(key):
        detail = "The key must have 1 to 255 printable ASCII characters."
        raise InvalidInput([FieldProblem("/Idempotency-Key", detail)], "The Idempotency-Key header is invalid.")
    return key


def wait_preference(prefer: str | None) -> int | None:
    """The seconds of `Prefer: wait=N` (RFC 7240), at most 30; None where there is no such preference."""
    found = WAIT.search(prefer) if prefer else None
    return min(int(found[1]), MOST_WAIT_SECONDS) if found else None


def matches(etag: str, if_none_match: str | None) -> bool:
    """Whether `If-None-Match` names this tag (RFC 9110: weakly compared) or any."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag.strip('"') in TAG.findall(if_none_match)


def known_version(if_none_match: str | None) -> int | None:
    """The newest version among the tags of `If-None-Match`: 0 where no tag is ours, None where any will do."""
    if if_none_match is None or if_none_match.strip() == "*":
        return None
    versions = [found[1] for tag in TAG.findall(if_none_match) if (found := VERSION_IN_TAG.match(tag))]
    return max(map(int, versions), default=0)
