"""Who is calling and what they may do: API keys by role, learner tokens by learner."""

from pipeline.service.access.credential import (
    Access,
    CreatedKey,
    LearnerToken,
    PageToken,
    hash_secret,
    new_signing_secret,
)
from pipeline.service.access.permission import (
    NO_LEARNER,
    PERMISSIONS,
    TEACHERS_BROWSERS,
    Permission,
    Principal,
    Role,
)

__all__ = [
    "NO_LEARNER",
    "PERMISSIONS",
    "TEACHERS_BROWSERS",
    "Access",
    "CreatedKey",
    "LearnerToken",
    "PageToken",
    "Permission",
    "Principal",
    "Role",
    "hash_secret",
    "new_signing_secret",
]
