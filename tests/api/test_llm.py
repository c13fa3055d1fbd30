"""What operators see of language models, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from sqlalchemy import text

from pipeline.bootstrap import build_api, configured_models, open_servers
from pipeline.exchange import Purpose, Trouble
from pipeline.live.health import RedisHealth
from pipeline.live.local_health import HealthPolicy
from pipeline.llm.configuration import read_configuration
from pipeline.ports.experiment import ServedAnswer
from pipeline.ports.generation import Admitted, Budgets
from pipeline.service.access import Role
from pipeline.settings import Settings
from pipeline.store.assignment import AssignmentStore
from pipeline.store.engine import transaction
from pipeline.store.ledger import LedgerStore
from tests.api.installation import Installation, opened, question
from tests.api.ledger import an_attempt, request

PATH: Final = "/v1/ops/llm"
MODELS: Final = """
[[providers]]
name = "openai"
kind = "openai"
model = "model-1"
base_url = "http://127.0.0.1:9/v1"
place = "local"
concurrency = 7

[[providers]]
name = "spare"
kind = "anthropic"
model = "model-2"
base_url = "http://127.0.0.1:9"
place = "local"

[[experiments]]
id = "size"
arms = [{ name = "small", share = 1, provider = "openai" }, { name = "large", share = 1, provider = "spare" }]
"""


def with_models(settings: Settings, home: Path, models: str = MODELS) -> Settings:
    """The settings with a file of models."""
    file = home / "ai.toml"
    file.write_text(models, encoding="utf-8")
    return msgspec.structs.replace(settings, ai_config=str(file))


@pytest.fixture
async def asked(settings: Settings, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation that knows two models and compares them."""
    async with opened(with_models(settings, tmp_path)) as installation:
        yield installation


async def shown(installation: Installation, tenant: str = "school", query: str = "") -> dict[str, Any]:
    answered = await installation.caller(Role.OPERATOR, tenant).get(PATH + query)
    assert answered.status_code == 200, answered.text
    document: dict[str, Any] = answered.json()
    return document


async def tenant_id(installation: Installation, name: str) -> int:
    async with transaction(installation.worker.servers.engine) as connection:
        found = await connection.execute(text("SELECT id FROM tenants WHERE name = :name"), {"name": name})
        return int(found.scalar_one())


async def test_where_no_model_is_configured_it_says_so(installation: Installation) -> None:
    document = await shown(installation)
    assert (document["configured"], document["providers"], document["arms"]) == (False, [], [])
    assert (document["alerts"], document["budget"]["limit_usd"]) == ([], None)


def test_a_file_that_cannot_be_read_is_a_word_to_the_operator_and_stops_no_api(tmp_path: Path) -> None:
    configured = configured_models(with_models(Settings(), tmp_path, "[[provider]]\n"))
    assert configured.routes == ()
    assert any("[provider]" in problem for problem in configured.problems)


async def test_wrong_models_keep_no_api_from_starting(settings: Settings, tmp_path: Path) -> None:
    """It asks none of them; hand-ins are not to wait for whoever mends the file."""
    broken = with_models(settings, tmp_path, "[[provider]]\n")
    async with open_servers(broken, pool_size=1, pool_wait_seconds=1) as servers:
        assert build_api(broken, servers).settings == broken


async def test_a_provider_shows_what_its_calls_came_to(asked: Installation) -> None:
    engine = asked.worker.servers.engine
    for number in range(1, 4):
        await request(engine, 1, seconds=number, cut_quotations=1)
    await request(engine, 1, Trouble.TIMED_OUT, seconds=6, usage=None, cost=900_000)
    await LedgerStore(engine).note_served(1, None, Purpose.FEEDBACK, "openai")
    openai, spare = (await shown(asked))["providers"]
    assert (openai["provider"], openai["model"], openai["concurrency"]) == ("openai", "model-1", 7)
    calls = openai["calls"]
    assert (calls["calls"], calls["success_share"], calls["errors"]) == (4, 0.75, {"timed_out": 0.25})
    assert (calls["mean_seconds"], calls["p50_seconds"], calls["first_text_p50_seconds"]) == (3.0, 2.5, 0.5)
    assert calls["p95_seconds"] == pytest.approx(5.55)
    assert calls["tokens"] == {"input": 300, "cached_input": 180, "cache_write": 0, "output": 60, "reasoning": 15}
    assert calls["cost"] == {"known_usd": 0.0015, "estimated_usd": 0.0009}
    assert calls["cut_quotations"] == 3
    assert openai["cache"] == {"paid_today": 3, "hits_today": 1, "hit_rate_today": 0.25}
    assert (spare["calls"]["calls"], spare["calls"]["success_share"]) == (0, None)


async def test_a_line_of_a_batch_counts_but_makes_no_provider_look_quick(asked: Installation) -> None:
    """It waited for its turn, for hours perhaps; how long an answer takes, it cannot tell."""
    engine = asked.worker.servers.engine
    await request(engine, 1, seconds=2)
    await request(engine, 1, seconds=None)
    calls = (await shown(asked))["providers"][0]["calls"]
    assert (calls["calls"], calls["success_share"], calls["tokens"]["output"]) == (2, 1.0, 40)
    assert (calls["mean_seconds"], calls["p50_seconds"], calls["p95_seconds"]) == (2.0, 2.0, 2.0)
    pages = await asked.caller(Role.OPERATOR).get("/metrics")
    counts = [
        line for line in pages.text.splitlines() if line.startswith("gen_ai_client_operation_duration_seconds_count")
    ]
    tokens = [line for line in pages.text.splitlines() if line.startswith("gen_ai_client_token_usage_count")]
    assert [line.rpartition(" ")[2] for line in counts] == ["1.0"]
    assert {line.rpartition(" ")[2] for line in tokens} == {"2.0"}


async def test_a_request_that_is_under_way_is_counted_as_such_at_its_estimate(asked: Installation) -> None:
    ledger = LedgerStore(asked.worker.servers.engine)
    assert await ledger.reserve(an_attempt(1), Budgets()) is None
    calls = (await shown(asked))["providers"][0]["calls"]
    assert (calls["calls"], calls["under_way"], calls["cost"]["estimated_usd"]) == (0, 1, 0.001)


async def test_what_another_tenant_asks_and_spends_is_not_shown(asked: Installation) -> None:
    await request(asked.worker.servers.engine, await tenant_id(asked, "academy"))
    school, academy = await shown(asked), await shown(asked, "academy")
    assert [document["providers"][0]["calls"]["calls"] for document in (school, academy)] == [0, 1]
    assert [document["budget"]["spent_usd"] for document in (school, academy)] == [0.0, 0.0005]


async def test_health_is_the_installations(asked: Installation, settings: Settings, tmp_path: Path) -> None:
    """A quota that is spent opens the breaker for everybody, and every tenant's operator is told."""
    [route, _] = read_configuration(with_models(settings, tmp_path)).routes
    health = RedisHealth(asked.worker.servers.redis, HealthPolicy())
    admitted = await health.admit(route)
    assert isinstance(admitted, Admitted)
    await health.release(route, admitted, Trouble.QUOTA_SPENT)
    for tenant in ("school", "academy"):
        document = await shown(asked, tenant)
        assert document["providers"][0]["health"]["breaker"] == "open"
        assert [(one["name"], one["provider"]) for one in document["alerts"]] == [("breaker_open", "openai")]


async def test_an_arm_shows_what_was_assigned_and_what_was_served(asked: Installation) -> None:
    engine, teacher = asked.worker.servers.engine, asked.caller()
    await teacher.put("/v1/questions/q-1", question("q-1"))
    ids = [await teacher.hand_in("ada", {"q-1": "b"}) for _ in range(3)]
    await asked.run(ids)
    by = [("openai", "ai"), ("spare", "ai"), (None, "template")]
    for id_, (provider, source) in zip(ids, by, strict=True):
        model = provider and "model"
        served = ServedAnswer(1, id_, "q-1", "size", "small", source, provider, model)  # type: ignore[arg-type] # of two
        await AssignmentStore(engine).record([served])
    await request(engine, 1, arm="size/small")
    await LedgerStore(engine).note_served(1, "size/small", Purpose.FEEDBACK, "openai")
    for id_, rating in zip(ids, (5, 4), strict=False):
        await teacher.post(f"/v1/submissions/{id_}/feedback/q-1/rating", {"rating": rating})
    small, large = (await shown(asked))["arms"]
    assert (small["experiment"], small["arm"], small["assigned"], small["served"]) == ("size", "small", 3, 2)
    assert small["served_by"] == {"openai": 1, "spare": 1, "template": 1}
    assert (small["calls"]["calls"], small["cache"]["hits_today"]) == (1, 1)
    assert small["ratings"] == {"count": 2, "mean": 4.5}
    assert (large["assigned"], large["calls"]["calls"], large["ratings"]) == (0, 0, {"count": 0, "mean": None})


async def test_a_budget_nearly_spent_is_an_alert(asked: Installation) -> None:
    operator = asked.caller(Role.OPERATOR)
    await operator.put(f"{PATH}/policy", {"mode": "cloud", "tenant_daily_usd": 0.001})
    await request(asked.worker.servers.engine, 1, cost=900_000)
    document = await shown(asked)
    assert document["budget"] == {"spent_usd": 0.0009, "limit_usd": 0.001, "share": 0.9}
    assert [one["name"] for one in document["alerts"]] == ["budget"]


@pytest.mark.parametrize("minutes", ["0", "1441", "many"])
async def test_a_window_that_makes_no_sense_is_refused(installation: Installation, minutes: str) -> None:
    refused = await installation.caller(Role.OPERATOR).get(f"{PATH}?minutes={minutes}")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/minutes")
