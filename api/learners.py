"""Learners over HTTP: what is known of them, their tokens, and their right to take it along or have it erased."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath
from litestar.response import Stream

from api.caller import AnyRequest, allow
from api.description import NDJSON, Answer, Body, Page, described
from api.reading import body_of, query_of
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.learning.mastery import MasteryLevel
from pipeline.learning.mistake import Mistake
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.access import LearnerToken, Permission
from pipeline.service.advising import MOST_QUESTIONS, Recommendations
from pipeline.service.learner import Progress, SkillShown

TOKEN_SECONDS: Final = 900
LONGEST_LEARNER_ID: Final = 200
LONGEST_LOCALE: Final = 35
MOMENT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)


A_SKILL: Final = SkillShown(
    topic="python.lists",
    rating=0.8,
    uncertainty=0.43,
    mastery=0.6711,
    level=MasteryLevel.PROFICIENT,
    answers=12,
    correct=9,
    weakness=0.15,
    mistakes={Mistake.GAP: 0.4},
    due_at=MOMENT + timedelta(days=3),
    updated_at=MOMENT,
)


class RangeQuery(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The UTC days to show, both included; the last 30 by default."""

    from_: date | None = None
    to: date | None = None


class AdviceQuery(msgspec.Struct, frozen=True):
    """How many questions (as set for the installation, unless told), and the language of the reasons (BCP 47)."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_QUESTIONS)] | None = None
    locale: Annotated[str, msgspec.Meta(min_length=2, max_length=LONGEST_LOCALE)] | None = None


class TokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the token shall be valid, in seconds; 15 minutes by default."""

    expires_in: Annotated[int, msgspec.Meta(ge=1)] | None = None


@get(
    "/v1/learners/{learner_id:str}/skills",
    opt=described(
        "Learners",
        {
            200: Answer(
                "The learner's standing per topic.",
                Page[SkillShown],
                Page([A_SKILL]),
            )
        },
        permission=Permission.READ_LEARNING,
    ),
)
async def show_skills(request: AnyRequest, learner_id: FromPath[str]) -> Response[Page[SkillShown]]:
    """Show a learner's skills, one per topic."""
    parts, principal = await allow(request, Permission.READ_LEARNING)
    return Response(Page(list(await parts.learners.skills(principal, learner_id))))


@get(
    "/v1/learners/{learner_id:str}/progress",
    opt=described(
        "Learners",
        {200: Answer("Figures since the beginning, in the range, and by day.", Progress)},
        permission=Permission.READ_LEARNING,
        query=RangeQuery,
    ),
)
async def show_progress(request: AnyRequest, learner_id: FromPath[str]) -> Response[Progress]:
    """Show how a learner is getting on, day by day."""
    parts, principal = await allow(request, Permission.READ_LEARNING)
    query = query_of(request, RangeQuery)
    return Response(await parts.learners.progress(principal, learner_id, query.from_, query.to))


@get(
    "/v1/learners/{learner_id:str}/recommendations",
    opt=described(
        "Learners",
        {200: Answer("What to do next, by all that is known at this moment.", Recommendations)},
        permission=Permission.READ_LEARNING,
        query=AdviceQuery,
    ),
)
async def show_recommendations(request: AnyRequest, learner_id: FromPath[str]) -> Response[Recommendations]:
    """Show what a learner should do next.

    Questions for weaknesses, for review and as a challenge, resources and projects of the curriculum, each with its
    reason. For the same state it is the same all through a day.
    """
    parts, principal = await allow(request, Permission.READ_LEARNING)
    query = query_of(request, AdviceQuery)
    return Response(await parts.advising.recommendations(principal, learner_id, count=query.count, locale=query.locale))


@get(
    "/v1/learners/{learner_id:str}/export",
    opt=described(
        "Learners",
        {200: Answer("One JSON object per line, each with its `kind`; the last is `end`.", str, media_type=NDJSON)},
        permission=Permission.TEACH,
    ),
)
async def export_learner(request: AnyRequest, learner_id: FromPath[str]) -> Stream:
    """Export everything kept of a learner.

    Lines are of the kinds `learner` (with goals), `skill`, `day`, `group`, `risk`, `report`, `submission` and, as the
    very last, `end`: an export without it broke off.
    """
    parts, principal = await allow(request, Permission.TEACH)
    await parts.learners.require(principal, learner_id)
    return Stream(lines_of(parts.learners.export(principal, learner_id)), media_type=NDJSON)


@delete(
    "/v1/learners/{learner_id:str}",
    opt=described("Learners", {204: Answer("Nothing is left of the learner.")}, permission=Permission.TEACH),
)
async def erase_learner(request: AnyRequest, learner_id: FromPath[str]) -> None:
    """Erase a learner.

    Submissions, answers, scores, feedback, skills, days, reports and goals are deleted for good. Sums that name
    nobody, such as how often a question was answered, stay. A call that was cut short can be repeated.
    """
    parts, principal = await allow(request, Permission.TEACH)
    await parts.learners.require(principal, learner_id)
    await parts.erasure.erase(principal, learner_id)


@post(
    "/v1/learners/{learner_id:str}/token",
    opt=described(
        "Learners",
        {
            201: Answer(
                "The token and when it ends.", LearnerToken, LearnerToken("eyJhbGciOiJIUzI1NiJ9.e30.c2ln", MOMENT)
            )
        },
        permission=Permission.MINT_TOKENS,
        body=Body(TokenIn, {"ten minutes": TokenIn(600)}, required=False),
    ),
)
async def mint_token(request: AnyRequest, learner_id: FromPath[str]) -> Response[LearnerToken]:
    """Mint a short-lived token for one learner's browser.

    It reads this learner's submissions, skills, progress and recommendations, and nothing else. The learner
    need not have handed in anything yet. It ends before its time where the key that made it is revoked, or the
    learner erased.
    """
    parts, principal = await allow(request, Permission.MINT_TOKENS)
    given = await body_of(request, TokenIn) if await request.body() else TokenIn()
    check_learner_id(learner_id)
    longest = parts.settings.learner_token_seconds
    seconds = min(TOKEN_SECONDS, longest) if given.expires_in is None else given.expires_in
    if seconds > longest:
        raise InvalidInput([FieldProblem("/expires_in", f"A token is valid for at most {longest} seconds.")])
    token = await parts.access.mint_token(principal, learner_id, seconds)
    return Response(token, headers={"Cache-Control": "no-store"})


def check_learner_id(learner_id: str) -> None:
    """Raise `InvalidInput` for what no hand-in could name as its learner."""
    if len(learner_id) > LONGEST_LEARNER_ID or forbidden_characters(learner_id) is not None:
        raise InvalidInput([FieldProblem("", "The address does not name a learner.")])


async def lines_of(records: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for record in records:
        yield msgspec.json.encode(record) + b"\n"


def learner_handlers() -> list[Any]:
    return [show_skills, show_progress, show_recommendations, export_learner, erase_learner, mint_token]
