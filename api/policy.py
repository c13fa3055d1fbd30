"""Operators' calls: what a tenant lets language models see and cost."""

from typing import Any, Final

import msgspec
from litestar import get, put

from api.caller import AnyRequest, allow
from api.description import Answer, Body, described
from api.reading import body_of
from pipeline.service.access import Permission
from pipeline.service.policy import PolicyIn, PolicyOut

TAG: Final = "Operations"
POLICY_EXAMPLE: Final = PolicyOut("cloud", tenant_daily_usd=20.0, learner_daily_usd=0.5, batch=False)
POLICY_BODIES: Final = {
    "with budgets": msgspec.to_builtins(POLICY_EXAMPLE),
    "in the house only": {"mode": "local", "reason": "no consent for a cloud yet"},
}


@get(
    "/v1/ops/llm/policy",
    opt=described(TAG, {200: Answer("The policy.", PolicyOut, POLICY_EXAMPLE)}, permission=Permission.OPERATE),
)
async def show_policy(request: AnyRequest) -> PolicyOut:
    """Show which language models may see the tenant's answers, and what they may cost.

    Budgets that the tenant has not set are the installation's.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    return await parts.policing.show(principal)


@put(
    "/v1/ops/llm/policy",
    opt=described(
        TAG,
        {200: Answer("The policy that holds now.", PolicyOut, POLICY_EXAMPLE)},
        permission=Permission.OPERATE,
        body=Body(PolicyIn, POLICY_BODIES),
    ),
)
async def set_policy(request: AnyRequest) -> PolicyOut:
    """Set which language models may see the tenant's answers, and what they may cost.

    It replaces the policy as a whole and holds in all workers within two seconds; what is under way then is finished.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    return await parts.policing.change(principal, await body_of(request, PolicyIn))


def policy_handlers() -> list[Any]:
    return [show_policy, set_policy]
