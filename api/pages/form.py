"""Forms on pages: that it was our own page that sent one, and what was typed into it.

A cookie that browsers send to our site alone (SameSite=Strict) keeps forms of other sites out, but not those of another
host of the same site. So a form carries a token that follows from the cookie, which no other page can read; and a
browser that tells where a request comes from (`Sec-Fetch-Site`) is believed where that is elsewhere. Its `Origin` would
tell nothing: pages that name no referrer have none.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from api.caller import AnyRequest
from api.description import PAGE_COOKIE
from api.reading import body_bytes, require_media_type
from pipeline.errors import FieldProblem, Forbidden, InvalidInput
from pipeline.scoring.fields import forbidden_text
from pipeline.scoring.shape import escape

FORM: Final = "application/x-www-form-urlencoded"
TOKEN_FIELD: Final = "token"  # noqa: S105 - names a field
MOST_FIELDS: Final = 20
PURPOSE: Final = b"gradeline-form"
OWN: Final = "same-origin"
NOT_OURS: Final = "The form was not sent by a page of ours."


def form_token(request: AnyRequest) -> str:
    """What a form on a page for this browser carries; it lives as long as the cookie it follows from."""
    session = request.cookies.get(PAGE_COOKIE, "")
    return hashlib.blake2b(session.encode(), digest_size=16, person=PURPOSE).hexdigest()


async def form_of(request: AnyRequest, *names: str) -> dict[str, str]:
    """What was typed into each of these fields, empty where it was not sent; lines end as they do with us.

    Raises `UnsupportedMediaType`, `TooLarge`, and `InvalidInput` for what is no form of ours.
    """
    require_media_type(request.headers, FORM)
    known = (*names, TOKEN_FIELD)
    given = {**dict.fromkeys(known, ""), **_fields(await body_bytes(request))}
    problems = [FieldProblem(f"/{escape(name)}", "There is no such field.") for name in given if name not in known]
    problems += forbidden_text({**given})
    if problems:
        raise InvalidInput(problems)
    return given


def _fields(body: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise InvalidInput([FieldProblem("", "This is no form of ours.")]) from None
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def require_own_site(request: AnyRequest) -> None:
    """Raise `Forbidden` where the browser says that the form stands on a page that is not ours."""
    if request.headers.get("sec-fetch-site", OWN) != OWN:
        raise Forbidden(NOT_OURS)


def is_vouched(request: AnyRequest) -> bool:
    """Whether the browser says that the form stands on a page of ours; over plain http browsers say nothing."""
    return request.headers.get("sec-fetch-site") == OWN


def is_current(request: AnyRequest, form: Mapping[str, str]) -> bool:
    """Whether the form was made for the cookie that came with it.

    One that was not may be our own all the same, where the page was entered anew since: then the browser has to say so,
    or it is `Forbidden`.
    """
    if hmac.compare_digest(form[TOKEN_FIELD].encode(), form_token(request).encode()):
        return True
    if not is_vouched(request):
        raise Forbidden(NOT_OURS)
    return False
