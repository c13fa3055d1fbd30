"""The pages on which teachers settle answers that no rule can judge: what waits, and one answer with its form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from api.analytics import Cursor
from api.caller import AnyRequest
from api.description import HTML, Answer, Body, described
from api.pages.entering import TAG
from api.pages.form import FORM, form_of, form_token, is_current, is_vouched, require_own_site
from api.pages.rendering import look, page, with_form
from api.pages.review_view import (
    ANSWER_PATH,
    Typed,
    answer_address,
    answer_view,
    closed_said,
    points_in,
    problems_with,
    seen_in,
    typed_before,
    waiting_row,
)
from api.pages.teacher_frame import REVIEW_PATH, Locale, part_links, places, settled_by, teachers_words
from api.pages.teacher_view import address
from api.pages.visitor import address_of
from api.pages.words import Words
from api.patience import Patience
from api.reading import query_of
from pipeline.bootstrap import ApiParts
from pipeline.errors import Conflict, FieldProblem, InvalidInput, Unauthenticated
from pipeline.ports import SubmissionFilter
from pipeline.service.access import Permission, Principal, Role
from pipeline.service.reviewing import Examined, WaitingList
from pipeline.service.settling import LONGEST_COMMENT, DecisionIn
from pipeline.service.showing import parse_submission_id

SHOWN: Final = 50
PAGE_SECONDS: Final = 10.0
"""A person who has read and typed for minutes is better served late than refused."""
FIELDS: Final = ("points", "comment", "seen")
UNPROCESSABLE: Final = 422
UNAUTHENTICATED: Final = 401
CONFLICT: Final = 409
FORBIDDEN: Final = 403
NO_PROBLEMS: Final[Mapping[str, str]] = {}

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ReviewPageQuery(msgspec.Struct, frozen=True):
    """What waits: whose, of which assignment, in which language; `decided` says so of the answer before."""

    learner_id: Id | None = None
    assignment_id: Id | None = None
    decided: bool = False
    cursor: Cursor | None = None
    locale: Locale | None = None

    def kept(self, **changes: str | None) -> dict[str, str | None]:
        """The part of the query that a link on the page goes on with."""
        return {"learner_id": self.learner_id, "assignment_id": self.assignment_id, **changes}


class AnswerPageQuery(msgspec.Struct, frozen=True):
    """Which answer, in which language."""

    submission: Id
    question: Id
    locale: Locale | None = None


class DecisionForm(msgspec.Struct, frozen=True):
    """What the form sends: points, a comment, when the decision was made that was seen, and the page's token."""

    points: str
    comment: str = ""
    seen: str = ""
    token: str = ""


@get(
    "/teacher/review",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML)},
        permission=Permission.SETTLE,
        query=ReviewPageQuery,
        page=True,
        visitors=(Role.REVIEWER,),
    ),
)
async def show_review_page(request: AnyRequest) -> Response[str]:
    """Show a teacher the answers that wait for a person, the oldest first.

    Browsers come to it by `/pages/enter` with a page token that settles.
    """
    parts, principal, say = await settled_by(request)
    query = query_of(request, ReviewPageQuery)
    wanted = SubmissionFilter(query.learner_id, query.assignment_id)
    async with Patience(PAGE_SECONDS):
        found = await parts.reviewing.waiting(principal, wanted, query.cursor, SHOWN)
    return review_page(found, query, say, principal)


def review_page(found: WaitingList, query: ReviewPageQuery, say: Words, principal: Principal) -> Response[str]:
    """The answer with the page of what waits."""
    kept = query.kept()
    narrowed = {"learner": ("learner_id", query.learner_id), "assignment": ("assignment_id", query.assignment_id)}
    return page(
        "teacher_review.html.jinja",
        say,
        address=address_of(REVIEW_PATH, **kept),
        places=places(REVIEW_PATH, say, principal),
        decided=query.decided,
        narrowed=[
            (name, value, address(REVIEW_PATH, say, **query.kept(**{field: None})))
            for name, (field, value) in narrowed.items()
            if value is not None
        ],
        rows=[waiting_row(one, say) for one in found.items],
        parts=part_links(REVIEW_PATH, say, query.cursor, found.next, **kept),
    )


@get(
    "/teacher/review/answer",
    opt=described(
        TAG,
        {200: Answer("The page.", str, media_type=HTML)},
        permission=Permission.SETTLE,
        query=AnswerPageQuery,
        problems=(404,),
        page=True,
        visitors=(Role.REVIEWER,),
    ),
)
async def show_answer_page(request: AnyRequest) -> Response[str]:
    """Show a teacher one answer: what was asked, what was answered, the key, and a form to settle it."""
    parts, principal, say = await settled_by(request)
    query = query_of(request, AnswerPageQuery)
    found = await examined(parts, principal, query)
    return answer_page(request, found, typed_before(found), say, principal)


@post(
    "/teacher/review/answer",
    status_code=HTTP_303_SEE_OTHER,
    opt=described(
        TAG,
        {303: Answer("What waits.", headers={"Location": "Where that is."})},
        permission=Permission.SETTLE,
        query=AnswerPageQuery,
        body=Body(DecisionForm, {"three and a half": DecisionForm("3.5", "Clear.")}, media_type=FORM),
        problems=(404, 409),
        page=True,
        visitors=(Role.REVIEWER,),
    ),
)
async def settle_on_page(request: AnyRequest) -> Response[Any]:
    """Settle an answer by the form of its page.

    It is taken from our own pages alone. What cannot be kept comes back in the form, with the reason.
    """
    require_own_site(request)
    try:
        parts, principal, say = await settled_by(request)
    except Unauthenticated:
        return expired_page(await form_of(request, *FIELDS) if is_vouched(request) else {}, teachers_words(request))
    query = query_of(request, AnswerPageQuery)
    form = await form_of(request, *FIELDS)
    typed, current = Typed(*[form[name] for name in FIELDS]), is_current(request, form)
    found = await examined(parts, principal, query)
    if not current:
        return answer_page(request, found, typed, say, principal, {"": say("problem_stale")}, FORBIDDEN)
    if problems := problems_with(typed, found.most_points, say):
        return answer_page(request, found, typed, say, principal, problems, UNPROCESSABLE)
    try:
        await decide(parts, principal, found, typed)
    except Conflict:
        return conflict_page(request, await examined(parts, principal, query), typed, say, principal)
    return Redirect(
        address(REVIEW_PATH, say, decided="true"), status_code=HTTP_303_SEE_OTHER, headers=dict(look().headers)
    )


async def decide(parts: ApiParts, principal: Principal, found: Examined, typed: Typed) -> None:
    """Settle as the form says; raises `Conflict` where another decision holds than was seen."""
    decision = DecisionIn(points=points_in(typed.points), comment=typed.comment or None, replaces=seen_at(typed.seen))
    async with Patience(PAGE_SECONDS):
        await parts.settling.settle(principal, found.submission.id, found.answer.question.id, decision)


def seen_at(seen: str) -> datetime | None:
    """The moment that the form carries; raises `InvalidInput` for what no form of ours does."""
    if not seen:
        return None
    try:
        return msgspec.convert(seen, Moment)
    except msgspec.ValidationError:
        raise InvalidInput([FieldProblem("/seen", "This is not a moment of ours.")]) from None


async def examined(parts: ApiParts, principal: Principal, query: AnswerPageQuery) -> Examined:
    async with Patience(PAGE_SECONDS):
        return await parts.reviewing.examine(principal, parse_submission_id(query.submission), query.question)


def conflict_page(
    request: AnyRequest, found: Examined, typed: Typed, say: Words, principal: Principal
) -> Response[str]:
    """Somebody decided meanwhile: told, with what was typed kept; sent again, it replaces what is shown now.

    Where nothing can be decided any more, the page says so in place of a form.
    """
    kept = Typed(typed.points, typed.comment, seen_in(found))
    problem = closed_said(found, say) or say("problem_meanwhile")
    return answer_page(request, found, kept, say, principal, {"": problem}, CONFLICT)


def expired_page(form: Mapping[str, str], say: Words) -> Response[str]:
    """The answer to a form that came too late: nothing is kept, and what was typed is there to be copied.

    Without a session no token tells whose form it is, so nothing is shown of one that no browser vouches for.
    """
    typed = [(say(name), form[name]) for name in ("points", "comment") if form.get(name, "").strip()]
    return page("teacher_expired.html.jinja", say, status=UNAUTHENTICATED, typed=typed)


def answer_page(
    request: AnyRequest,
    found: Examined,
    typed: Typed,
    say: Words,
    principal: Principal,
    problems: Mapping[str, str] = NO_PROBLEMS,
    status: int = 200,
) -> Response[str]:
    """The answer with the page of one answer; `problems` go by field, under the empty name what belongs to none."""
    submission_id, question_id = found.submission.id, found.answer.question.id
    return page(
        "teacher_answer.html.jinja",
        say,
        status=status,
        headers=with_form(),
        address=address_of(ANSWER_PATH, submission=submission_id, question=question_id),
        places=places(ANSWER_PATH, say, principal),
        back=address(REVIEW_PATH, say),
        action=answer_address(submission_id, question_id, say),
        answer=answer_view(found, say),
        typed=typed,
        problems=problems,
        token=form_token(request),
        most_comment=LONGEST_COMMENT,
    )


REVIEW_PAGES: Final[tuple[Any, ...]] = (show_review_page, show_answer_page, settle_on_page)
