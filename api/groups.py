"""Groups of learners over HTTP: a teacher's classes."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, delete, get, put
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import Answer, Body, Page, described
from api.patience import Patience
from api.reading import body_of, query_of
from pipeline.ports.analytics import Group, MembersChanged
from pipeline.service.access import Permission
from pipeline.service.groups import MOST_MEMBERS
from pipeline.service.page import MOST_ITEMS
from pipeline.settings import Settings

TAG: Final = "Groups"
MOMENT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
GROUP: Final = Group("class-7b", "Class 7b", 28, MOMENT, MOMENT)

LearnerId = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class GroupIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a group is called."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class MembersIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Learners by their ids; they need not have handed in anything yet."""

    learner_ids: Annotated[list[LearnerId], msgspec.Meta(min_length=1, max_length=MOST_MEMBERS)]


class ReplaceQuery(msgspec.Struct, frozen=True):
    """With `replace=true` nobody else stays a member."""

    replace: bool = False


class PartQuery(msgspec.Struct, frozen=True):
    """Which part of the list."""

    cursor: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ITEMS)] = 50


@put(
    "/v1/groups/{group_id:str}",
    opt=described(
        TAG,
        {201: Answer("The group is new.", Group, GROUP), 200: Answer("The group, renamed.", Group, GROUP)},
        permission=Permission.TEACH,
        body=Body(GroupIn, {"a class": GroupIn("Class 7b")}),
        problems=(409,),
    ),
)
async def put_group(request: AnyRequest, group_id: FromPath[str]) -> Response[Group]:
    """Make a group of learners, or rename it."""
    parts, principal = await allow(request, Permission.TEACH)
    group, is_new = await parts.groups.put(principal, group_id, (await body_of(request, GroupIn)).name)
    return Response(group, status_code=201 if is_new else 200)


@get(
    "/v1/groups/{group_id:str}",
    opt=described(TAG, {200: Answer("The group.", Group, GROUP)}, permission=Permission.READ_ANALYTICS),
)
async def show_group(request: AnyRequest, group_id: FromPath[str]) -> Response[Group]:
    """Show a group and how many learners it has."""
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    return Response(await parts.groups.get(principal, group_id))


@get(
    "/v1/groups",
    opt=described(
        TAG,
        {200: Answer("Groups in the order of their ids.", Page[Group], Page([GROUP]))},
        permission=Permission.READ_ANALYTICS,
        query=PartQuery,
    ),
)
async def list_groups(request: AnyRequest) -> Response[Page[Group]]:
    """List groups."""
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    query = query_of(request, PartQuery)
    page = await parts.groups.browse(principal, cursor=query.cursor, limit=query.limit)
    return Response(Page(list(page.groups), page.next))


@delete(
    "/v1/groups/{group_id:str}",
    opt=described(TAG, {204: Answer("The group is gone.")}, permission=Permission.TEACH),
)
async def delete_group(request: AnyRequest, group_id: FromPath[str]) -> None:
    """Delete a group. Its learners, and all that is known of them, stay."""
    parts, principal = await allow(request, Permission.TEACH)
    await parts.groups.delete(principal, group_id)


@get(
    "/v1/groups/{group_id:str}/members",
    opt=described(
        TAG,
        {200: Answer("The ids of the group's learners, in their order.", Page[str], Page(["u-17", "u-18"]))},
        permission=Permission.READ_ANALYTICS,
        query=PartQuery,
    ),
)
async def list_members(request: AnyRequest, group_id: FromPath[str]) -> Response[Page[str]]:
    """List a group's learners."""
    parts, principal = await allow(request, Permission.READ_ANALYTICS)
    query = query_of(request, PartQuery)
    page = await parts.groups.members(principal, group_id, cursor=query.cursor, limit=query.limit)
    return Response(Page(list(page.learner_ids), page.next))


@put(
    "/v1/groups/{group_id:str}/members",
    opt=described(
        TAG,
        {200: Answer("How many came, went, and are members now.", MembersChanged, MembersChanged(2, 0, 28))},
        permission=Permission.TEACH,
        query=ReplaceQuery,
        body=Body(MembersIn, {"two learners": MembersIn(["u-17", "u-18"])}),
        problems=(409,),
    ),
)
async def add_members(request: AnyRequest, group_id: FromPath[str]) -> Response[MembersChanged]:
    """Make learners members of a group.

    Who is a member already stays one, so a list may be sent again. With `replace=true` the list becomes the whole
    group. A group has at most 5,000 learners.
    """
    parts, principal = await allow(request, Permission.TEACH)
    query, given = query_of(request, ReplaceQuery), await body_of(request, MembersIn)
    async with Patience():
        return Response(await parts.groups.add(principal, group_id, given.learner_ids, replace=query.replace))


@delete(
    "/v1/groups/{group_id:str}/members",
    status_code=200,
    opt=described(
        TAG,
        {200: Answer("How many went, and are members now.", MembersChanged, MembersChanged(0, 2, 26))},
        permission=Permission.TEACH,
        body=Body(MembersIn, {"two learners": MembersIn(["u-17", "u-18"])}),
    ),
)
async def remove_members(request: AnyRequest, group_id: FromPath[str]) -> Response[MembersChanged]:
    """Take learners out of a group; who is not in it is left alone."""
    parts, principal = await allow(request, Permission.TEACH)
    given = await body_of(request, MembersIn)
    async with Patience():
        return Response(await parts.groups.remove(principal, group_id, given.learner_ids))


def group_handlers(settings: Settings) -> list[Any]:
    members = [list_members, add_members, remove_members]
    large = Router("/", route_handlers=members, request_max_body_size=settings.max_batch_bytes)
    return [put_group, show_group, list_groups, delete_group, large]
