"""What the teacher's pages have in common: who may look, where they are, and the ways between them."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from api.caller import AnyRequest
from api.pages.teacher_view import TABLE, Link, address
from api.pages.visitor import visitor, words_for
from api.pages.words import Words
from pipeline.bootstrap import ApiParts
from pipeline.ports.analytics import Group
from pipeline.service.access import TEACHERS_BROWSERS, Permission, Principal, Role
from pipeline.service.page import MOST_ITEMS

RISK_PATH: Final = "/pages/teacher"
CAREERS_PATH: Final = "/pages/teacher/careers"
ITEMS_PATH: Final = "/pages/teacher/items"
REVIEW_PATH: Final = "/pages/teacher/review"

Locale = Annotated[str, msgspec.Meta(max_length=35)]


async def looked_at(request: AnyRequest) -> tuple[ApiParts, Principal, Words]:
    """The parts, the teacher's browser, and the words of these pages in its language."""
    parts, principal = await visitor(request, TEACHERS_BROWSERS, Permission.READ_ANALYTICS)
    return parts, principal, teachers_words(request)


def teachers_words(request: AnyRequest) -> Words:
    """The words of these pages in the visitor's language."""
    return Words(words_for(request).language, TABLE)


async def settled_by(request: AnyRequest) -> tuple[ApiParts, Principal, Words]:
    """As `looked_at`, for a browser whose token settles."""
    parts, principal = await visitor(request, (Role.REVIEWER,), Permission.SETTLE)
    return parts, principal, teachers_words(request)


async def groups_of(parts: ApiParts, principal: Principal) -> Sequence[Group]:
    """The groups that are linked: as many as fit into one part of their list."""
    return (await parts.groups.browse(principal, cursor=None, limit=MOST_ITEMS)).groups


def places(current: str, say: Words, principal: Principal, group: str | None = None) -> list[Link]:
    """The teacher's pages that the visitor's token opens; the group goes along where it matters."""
    review = Link(say("review_title"), address(REVIEW_PATH, say), current=current == REVIEW_PATH)
    return [
        Link(say("at_risk_title"), address(RISK_PATH, say, group=group), current=current == RISK_PATH),
        Link(say("careers_title"), address(CAREERS_PATH, say, group=group), current=current == CAREERS_PATH),
        Link(say("items_title"), address(ITEMS_PATH, say), current=current == ITEMS_PATH),
        *([review] if principal.role is Role.REVIEWER else []),
    ]


def part_links(path: str, say: Words, cursor: str | None, next_: str | None, **query: str | None) -> list[Link]:
    """The ways to the beginning and to the next part of a list, where there are such."""
    first = [Link(say("first_part"), address(path, say, **query))] if cursor is not None else []
    return first + ([Link(say("next_part"), address(path, say, **query, cursor=next_))] if next_ is not None else [])
