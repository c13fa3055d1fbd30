"""An experiment from end to end: a stand-in is asked, another one writes, a learner rates, an operator looks."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.service.access import Role
from pipeline.settings import Settings
from tests.api.live import LiveApi, workers
from tests.api.test_feedback_stream import following
from tests.api.test_models_writing import GOOD, handed_in
from tests.standin.script import Fault, Rule
from tests.standin.server import StandIn, standing_in

PROVIDER = """
[[providers]]
name = "{name}"
kind = "openai"
model = "{name}-1"
base_url = "{url}/v1"
place = "local"
api_key_env = "KEY_OF_{variable}"
price = {{ input_per_million = 1.0, output_per_million = 1.0 }}
"""
NEARLY_ALL_BROKEN = """
[[experiments]]
id = "size"
arms = [{ name = "broken", share = 1000000, provider = "broken" }, { name = "whole", share = 0.000001 }]
"""


def comparing(settings: Settings, stand_in: StandIn, home: Path, patch: pytest.MonkeyPatch) -> Settings:
    """Settings with two accounts at one stand-in, of which an experiment asks the broken one first."""
    for variable in ("KEY_OF_BROKEN", "KEY_OF_WHOLE"):
        patch.setenv(variable, variable)
    providers = [PROVIDER.format(name=name, url=stand_in.url, variable=name.upper()) for name in ("broken", "whole")]
    file = home / "ai.toml"
    file.write_text("".join([*providers, NEARLY_ALL_BROKEN]), encoding="utf-8")
    return msgspec.structs.replace(settings, ai_config=str(file))


async def overview(live: LiveApi) -> dict[str, Any]:
    answered = await live.get("/v1/ops/llm", role=Role.OPERATOR)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def test_an_arm_whose_provider_fails_shows_who_wrote_instead(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with standing_in() as stand_in:
        stand_in.play(Rule(fault=Fault.QUOTA, model="broken-1"), Rule(text=json.dumps(GOOD)))
        given = comparing(settings, stand_in, tmp_path, monkeypatch)
        async with handed_in(given) as (live, submission_id), workers(given):
            async with following(live, submission_id) as client:
                await client.rest()
            path = f"/v1/submissions/{submission_id}/feedback/loops/rating"
            assert (await live.post(path, {"rating": 4})).status_code == 200
            found = await overview(live)
            metrics = (await live.get("/metrics", role=Role.OPERATOR)).text
    arm, other = found["arms"]
    assert (arm["arm"], arm["provider"], arm["assigned"], arm["served_by"]) == ("broken", "broken", 1, {"whole": 1})
    assert (arm["calls"]["calls"], arm["calls"]["errors"]) == (2, {"quota_spent": 0.5})
    assert arm["ratings"] == {"count": 1, "mean": 4.0}
    assert (other["arm"], other["assigned"]) == ("whole", 0)
    broken, whole = found["providers"]
    assert (broken["health"]["breaker"], broken["calls"]["success_share"]) == ("open", 0.0)
    booked = stand_in.calls[-1].booked
    assert booked is not None
    assert whole["calls"]["tokens"]["output"] == booked.output
    assert found["budget"]["spent_usd"] == pytest.approx(whole["calls"]["cost"]["known_usd"])
    assert [(one["name"], one["provider"]) for one in found["alerts"]] == [("breaker_open", "broken")]
    assert 'gradeline_llm_alert{alert="breaker_open",gen_ai_provider_name="broken"} 1.0' in metrics
    assert 'gradeline_llm_replies_total{gen_ai_provider_name="whole",source="paid"} 1.0' in metrics
