"""What Prometheus is told of language models."""

from typing import Any, Literal

import msgspec

from api.llm import EXAMPLE
from api.llm_metrics import BOUNDS, llm_families
from api.metrics import exposition
from pipeline.metering.alert import Alert, AlertName
from pipeline.ports.insight import Tally
from pipeline.service.overview import AccountHealth, Overview

CALL = (
    'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m",gradeline_purpose="feedback"'
)


def tally(**changes: Any) -> Tally:
    """Two calls of 1.5 and 2.5 s."""
    one = Tally("openai", "m", "feedback", "", 2, 8, 4, 3, 4.0, 200, 40, 120, 10, 500_000_000)
    return msgspec.structs.replace(one, **changes)


def lines(*tallies: Tally, overview: Overview = EXAMPLE) -> list[str]:
    return exposition(llm_families(overview, tallies)).decode().splitlines()


def with_breaker(state: Literal["closed", "open", "half_open"]) -> Overview:
    [provider] = EXAMPLE.providers
    health = AccountHealth(state, None, None, 5, 61, 1)
    return msgspec.structs.replace(EXAMPLE, providers=(msgspec.structs.replace(provider, health=health),))


def test_the_buckets_are_those_of_the_conventions() -> None:
    assert (BOUNDS.durations_ms[0], BOUNDS.durations_ms[-1]) == (10, 81_920)
    assert (BOUNDS.tokens[0], BOUNDS.tokens[-1]) == (1, 67_108_864)


def test_durations_are_cumulative_and_a_failure_names_its_error() -> None:
    found = lines(tally(), tally(trouble="timed_out", count=1, seconds_bucket=12, seconds=30.0, input_bucket=None))
    name = "gen_ai_client_operation_duration_seconds"
    assert f'{name}_bucket{{error_type="",{CALL},le="1.28"}} 0.0' in found
    assert f'{name}_bucket{{error_type="",{CALL},le="2.56"}} 2.0' in found
    assert f'{name}_count{{error_type="",{CALL}}} 2.0' in found
    assert f'{name}_sum{{error_type="timed_out",{CALL}}} 30.0' in found


def test_tokens_in_and_out_are_apart_and_unknown_usage_is_not_counted_as_none() -> None:
    found = lines(tally(), tally(trouble="timed_out", input_bucket=None, output_bucket=None))
    name = "gen_ai_client_token_usage"
    calls = CALL.replace('",gradeline', '",gen_ai_token_type="{}",gradeline')
    assert f"{name}_count{{{calls.format('input')}}} 2.0" in found
    assert f"{name}_sum{{{calls.format('output')}}} 40.0" in found


def test_costs_are_in_dollars() -> None:
    assert f"gradeline_llm_cost_usd_total{{{CALL}}} 1.0" in lines(tally(), tally(input_bucket=5))


def test_the_budget_has_a_limit_only_where_there_is_one() -> None:
    free = msgspec.structs.replace(EXAMPLE, budget=msgspec.structs.replace(EXAMPLE.budget, limit_usd=None, share=None))
    assert "gradeline_llm_budget_limit_usd 20.0" in lines()
    assert not [line for line in lines(overview=free) if line.startswith("gradeline_llm_budget_limit_usd")]
    assert "gradeline_llm_budget_spent_usd 17.0" in lines(overview=free)


def test_a_breaker_is_in_one_state() -> None:
    found = lines(overview=with_breaker("open"))
    assert 'gradeline_llm_breaker{gen_ai_provider_name="openai",state="open"} 1.0' in found
    assert 'gradeline_llm_breaker{gen_ai_provider_name="openai",state="closed"} 0.0' in found


def test_replies_say_where_they_came_from() -> None:
    assert 'gradeline_llm_replies_total{gen_ai_provider_name="openai",source="hit"} 904.0' in lines()


def test_every_alert_is_there_so_that_one_that_ends_is_seen_to_end() -> None:
    alert = Alert(AlertName.LATENCY, "warning", "openai", 6.0, 5.0, None, "Do something.")
    found = lines(overview=msgspec.structs.replace(EXAMPLE, alerts=(alert,)))
    raised = {line for line in found if line.startswith("gradeline_llm_alert{")}
    assert raised == {
        'gradeline_llm_alert{alert="error_rate",gen_ai_provider_name="openai"} 0.0',
        'gradeline_llm_alert{alert="latency",gen_ai_provider_name="openai"} 1.0',
        'gradeline_llm_alert{alert="breaker_open",gen_ai_provider_name="openai"} 0.0',
        'gradeline_llm_alert{alert="budget",gen_ai_provider_name=""} 0.0',
        'gradeline_llm_alert{alert="cache_hit_rate",gen_ai_provider_name=""} 0.0',
    }
