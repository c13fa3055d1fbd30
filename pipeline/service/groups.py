"""Groups of learners: a teacher's classes."""

from collections.abc import Collection, Sequence
from typing import Final, TypeVar

import msgspec

from pipeline.errors import Conflict, FieldProblem, InvalidInput, NotFound
from pipeline.ports.analytics import Group, GroupStore, MembersChanged
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.access import Principal
from pipeline.service.page import cursor_behind, key_before

MOST_GROUPS: Final = 1_000
MOST_MEMBERS: Final = 5_000
LONGEST_ID: Final = 200

Found = TypeVar("Found", Group, MembersChanged)


class GroupPage(msgspec.Struct, frozen=True):
    """A part of a tenant's groups."""

    groups: tuple[Group, ...]
    next: str | None


class MemberPage(msgspec.Struct, frozen=True):
    """A part of a group's learners."""

    learner_ids: tuple[str, ...]
    next: str | None


class Groups:
    """What teachers do with groups; raises `NotFound` for one that the caller's tenant does not have."""

    def __init__(self, store: GroupStore) -> None:
        self._store = store

    async def put(self, principal: Principal, group_id: str, name: str) -> tuple[Group, bool]:
        """Make or rename a group; True where it is new. Raises `Conflict` where there are too many."""
        check_id(group_id)
        put = await self._store.put(principal.tenant_id, group_id, name, most=MOST_GROUPS)
        if put is None:
            raise Conflict(f"There are {MOST_GROUPS:,} groups already, as many as there may be.")
        return put

    async def get(self, principal: Principal, group_id: str) -> Group:
        """One group."""
        return found(await self._store.get(principal.tenant_id, searchable(group_id)))

    async def browse(self, principal: Principal, *, cursor: str | None, limit: int) -> GroupPage:
        """Groups in the order of their ids."""
        after = "" if cursor is None else key_before(cursor)
        groups = await self._store.browse(principal.tenant_id, after=after, most=limit + 1)
        return GroupPage(tuple(groups[:limit]), cursor_behind(groups[limit - 1].id) if len(groups) > limit else None)

    async def delete(self, principal: Principal, group_id: str) -> None:
        """Delete a group; its learners and what is known of them stay."""
        if not await self._store.delete(principal.tenant_id, searchable(group_id)):
            raise NotFound(NO_GROUP)

    async def members(self, principal: Principal, group_id: str, *, cursor: str | None, limit: int) -> MemberPage:
        """A group's learners in the order of their ids."""
        await self.get(principal, group_id)
        after = "" if cursor is None else key_before(cursor)
        ids = await self._store.members(principal.tenant_id, group_id, after=after, most=limit + 1)
        return MemberPage(tuple(ids[:limit]), cursor_behind(ids[limit - 1]) if len(ids) > limit else None)

    async def add(
        self, principal: Principal, group_id: str, learner_ids: Sequence[str], *, replace: bool
    ) -> MembersChanged:
        """Make these learners members, with `replace` nobody else; they need not have handed in anything yet."""
        check_learners(learner_ids)
        added = await self._store.add(
            principal.tenant_id, searchable(group_id), learner_ids, replace=replace, most=MOST_MEMBERS
        )
        return found(added)

    async def remove(self, principal: Principal, group_id: str, learner_ids: Collection[str]) -> MembersChanged:
        """Take these learners out of the group; who is not in it is left alone."""
        return found(await self._store.remove(principal.tenant_id, searchable(group_id), learner_ids))


NO_GROUP: Final = "There is no such group."


def found(thing: Found | None) -> Found:
    if thing is None:
        raise NotFound(NO_GROUP)
    return thing


def searchable(group_id: str) -> str:
    """An id that a group could have; raises `NotFound` for what no group can be called."""
    if forbidden_characters(group_id) is not None:
        raise NotFound(NO_GROUP)
    return group_id


def check_id(group_id: str) -> None:
    """Raise `InvalidInput` for what a group must not be called."""
    if len(group_id) > LONGEST_ID or forbidden_characters(group_id) is not None:
        raise InvalidInput([FieldProblem("", "The address does not name a group.")])


def check_learners(learner_ids: Sequence[str]) -> None:
    """Raise `InvalidInput` for ids that no hand-in could name as its learner."""
    bad = [
        FieldProblem(f"/learner_ids/{index}", reason)
        for index, id_ in enumerate(learner_ids)
        if (reason := forbidden_characters(id_)) is not None
    ]
    if bad:
        raise InvalidInput(bad[:100])
