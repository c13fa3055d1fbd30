"""Who may do what: roles, the permissions that each includes, and the verified caller."""

from enum import StrEnum
from typing import Final

import msgspec

from pipeline.errors import Forbidden
from pipeline.model import Grant


class Role(StrEnum):
    """What a credential is for.

    `learner` (one learner's browser), `viewer` and `reviewer` (a teacher's) come from tokens only.
    """

    SUBMITTER = "submitter"
    TEACHER = "teacher"
    OPERATOR = "operator"
    LEARNER = "learner"
    VIEWER = "viewer"
    REVIEWER = "reviewer"


NO_LEARNER: Final = "There is no such learner: nobody of this id has handed in, is in a group, or has goals."
"""Said of learners whom nobody knows, and of those whom the caller may not see."""


class Permission(StrEnum):
    """One kind of call."""

    SUBMIT = "submit"
    READ = "read"
    CONTROL = "control"
    RATE = "rate"
    SETTLE = "settle"
    MINT_TOKENS = "mint_tokens"
    TEACH = "teach"
    OPERATE = "operate"
    WEBHOOKS = "webhooks"
    READ_LEARNING = "read_learning"
    READ_ANALYTICS = "read_analytics"
    SET_GOALS = "set_goals"
    GENERATE = "generate"


# Deny by default: what is not listed is forbidden. CONTROL is cancel and retry of one submission. A learner
# reads what is their own only: `Principal.may_see`.
PERMISSIONS: Final = {
    Role.SUBMITTER: frozenset(
        {
            Permission.SUBMIT,
            Permission.READ,
            Permission.CONTROL,
            Permission.RATE,
            Permission.MINT_TOKENS,
            Permission.WEBHOOKS,
            Permission.SET_GOALS,
        }
    ),
    Role.TEACHER: frozenset(
        {
            Permission.SUBMIT,
            Permission.READ,
            Permission.CONTROL,
            Permission.RATE,
            Permission.MINT_TOKENS,
            Permission.WEBHOOKS,
            Permission.TEACH,
            Permission.SETTLE,
            Permission.READ_LEARNING,
            Permission.READ_ANALYTICS,
            Permission.SET_GOALS,
            Permission.GENERATE,
        }
    ),
    Role.OPERATOR: frozenset(
        {Permission.READ, Permission.CONTROL, Permission.OPERATE, Permission.WEBHOOKS, Permission.GENERATE}
    ),
    Role.LEARNER: frozenset({Permission.READ, Permission.RATE, Permission.READ_LEARNING}),
    Role.VIEWER: frozenset({Permission.READ_ANALYTICS}),
    Role.REVIEWER: frozenset({Permission.READ_ANALYTICS, Permission.SETTLE}),
}

TEACHERS_BROWSERS: Final = (Role.VIEWER, Role.REVIEWER)
"""The roles of tokens with which a teacher's browser comes."""


def takers_of(permission: Permission) -> str:
    """The roles that include a permission, as "a submitter or a teacher"."""
    *others, last = [with_article(role).lower() for role in Role if permission in PERMISSIONS[role]]
    return f"{', '.join(others)} or {last}" if others else last


def with_article(role: Role) -> str:
    return f"An {role}" if role is Role.OPERATOR else f"A {role}"


class Principal(msgspec.Struct, frozen=True):
    """The verified caller. `learner_id` is set for a learner token and narrows everything to that learner.

    `key_id` is set for an API key: what it makes dies with it. `grant` is what the right rests on, for whoever goes on
    showing things after the call was let in.
    """

    tenant_id: int
    role: Role
    actor: str
    learner_id: str | None = None
    key_id: str | None = None
    grant: Grant | None = None

    def require(self, permission: Permission) -> None:
        """Raise `Forbidden` unless the role includes `permission`."""
        if permission not in PERMISSIONS[self.role]:
            raise Forbidden(f"{with_article(self.role)} may not do this; it takes {takers_of(permission)}.")

    def may_see(self, learner_id: str) -> bool:
        """Whether what belongs to this learner exists for the caller."""
        return self.learner_id is None or self.learner_id == learner_id
