"""What a tenant lets language models see and cost, over HTTP."""

from typing import Any

import pytest

from pipeline.ports.generation import Budgets, Policy
from tests.api.conftest import Api

PATH = "/v1/ops/llm/policy"
NOTHING_SET = {"mode": "cloud", "tenant_daily_usd": None, "learner_daily_usd": None, "batch": False}


async def test_at_first_all_models_may_be_asked_without_a_limit(api: Api) -> None:
    answered = await api.call("GET", PATH)
    assert (answered.status_code, answered.json()) == (200, NOTHING_SET)


async def test_a_policy_is_shown_as_it_was_set_and_is_the_tenants_own(api: Api) -> None:
    wanted = {"mode": "local", "tenant_daily_usd": 20.5, "learner_daily_usd": 0.1, "batch": True}
    answered = await api.call("PUT", PATH, json=wanted)
    assert (answered.status_code, answered.json()) == (200, wanted)
    assert (await api.call("GET", PATH)).json() == wanted
    assert (await api.call("GET", PATH, key=api.stranger)).json() == NOTHING_SET


async def test_a_put_replaces_all_of_it(api: Api) -> None:
    await api.call("PUT", PATH, json={"mode": "off", "tenant_daily_usd": 3, "batch": True})
    answered = await api.call("PUT", PATH, json={"mode": "cloud"})
    assert answered.json() == NOTHING_SET


async def test_dollars_become_whole_nanodollars(api: Api) -> None:
    await api.call("PUT", PATH, json={"mode": "cloud", "learner_daily_usd": 0.1})
    stored = await api.parts.policies.of(await api.tenant_id())
    assert stored == Policy("cloud", Budgets(tenant=None, learner=100_000_000))


async def test_a_change_is_told_in_the_audit_log(api: Api) -> None:
    await api.call("PUT", PATH, json={"mode": "off", "reason": "exam week"})
    [act] = (await api.call("GET", "/v1/ops/audit")).json()["items"][:1]
    assert (act["action"], act["reason"], act["target"]["mode"]) == ("llm.policy", "exam week", "off")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/mode"}),
        ({"mode": "everything"}, {"/mode"}),
        (
            {"mode": "cloud", "tenant_daily_usd": -1, "learner_daily_usd": "much"},
            {"/tenant_daily_usd", "/learner_daily_usd"},
        ),
        ({"mode": "cloud", "tenant_daily_usd": 1e9}, {"/tenant_daily_usd"}),
        ({"mode": "cloud", "batch": 1, "colour": "red"}, {"/batch", "/colour"}),
        ({"mode": "cloud", "reason": ""}, {"/reason"}),
    ],
)
async def test_what_is_wrong_is_named_all_at_once_and_nothing_is_set(
    api: Api, body: dict[str, Any], pointers: set[str]
) -> None:
    answered = await api.call("PUT", PATH, json=body)
    assert answered.status_code == 422
    assert {error["pointer"] for error in answered.json()["errors"]} == pointers
    assert (await api.call("GET", PATH)).json() == NOTHING_SET
