"""What calls cost: prices set, published, guessed; and estimates that no recorded call exceeds."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange import Place, Price, Prompt, Route, Turn, Usage
from pipeline.metering.money import dollars, nanodollars
from pipeline.metering.price import FALLBACK, PriceList, cost_of, estimate_of, most_input_tokens

LUNA: Final = Route("openai", "openai", "gpt-6-luna", "account")
SONNET: Final = Route("anthropic", "anthropic", "claude-sonnet-5-5", "account")
OWN_PRICE: Final = Price(input_per_million=2.0, output_per_million=8.0, cached_input_per_million=0.5)
MILLION: Final = 1_000_000
DOLLAR: Final = 1_000_000_000


def route(**changes: Any) -> Route:
    given: dict[str, Any] = {"provider": "house", "kind": "openai", "model": "gpt-6-luna", "account": "a", **changes}
    return Route(**given)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(MILLION, 0, 0, 0), 2.0),
        (Usage(MILLION, MILLION, 0, 0), 0.5),
        (Usage(MILLION, 250_000, 0, 0), 1.625),
        (Usage(MILLION, 0, MILLION, 0), 2.0),
        (Usage(0, 0, 0, MILLION, 900_000), 8.0),
    ],
)
def test_the_price_of_a_route_goes_before_the_published_one(usage: Usage, cost: float) -> None:
    """Cached input is part of the input, reasoning is part of the output, and neither is paid twice."""
    found = cost_of(route(price=OWN_PRICE), usage)
    assert (found.nanodollars, found.known) == (nanodollars(cost), True)


def test_where_no_price_of_cached_input_is_set_it_costs_as_input() -> None:
    own = route(price=Price(2.0, 8.0))
    assert cost_of(own, Usage(MILLION, MILLION, 0, 0)) == cost_of(own, Usage(MILLION, 0, 0, 0))


@pytest.mark.parametrize("asked", [LUNA, SONNET])
def test_published_prices_make_cached_input_cheaper_and_reasoning_cost_as_output(asked: Route) -> None:
    new = cost_of(asked, Usage(MILLION, 0, 0, 1000))
    cached = cost_of(asked, Usage(MILLION, MILLION, 0, 1000))
    reasoned = cost_of(asked, Usage(MILLION, 0, 0, 1000, 900))
    assert new.known
    assert 0 < cached.nanodollars < new.nanodollars / 2
    assert reasoned == new


def test_published_prices_charge_for_writing_to_the_cache() -> None:
    assert cost_of(SONNET, Usage(1000, 0, 1000, 0)).nanodollars > cost_of(SONNET, Usage(1000, 0, 0, 0)).nanodollars


def test_the_served_model_is_what_is_paid_for() -> None:
    usage = Usage(1000, 0, 0, 1000)
    assert cost_of(LUNA, usage, "gpt-6.1-sol") == cost_of(route(model="gpt-6.1-sol"), usage)
    assert cost_of(LUNA, usage, "gpt-6.1-sol") != cost_of(LUNA, usage)
    assert cost_of(LUNA, usage, "no-such-model") == cost_of(LUNA, usage)


def test_a_provider_of_any_name_pays_what_the_maker_of_its_wire_takes() -> None:
    usage = Usage(1000, 0, 0, 1000)
    assert cost_of(route(provider="main"), usage) == cost_of(LUNA, usage)


def test_a_compatible_provider_has_prices_of_its_own() -> None:
    model = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    known = cost_of(route(provider="together", model=model), Usage(MILLION, 0, 0, 0))
    assert known.known
    assert 0 < known.nanodollars < 2 * DOLLAR


def test_a_model_that_only_others_have_a_price_of_is_a_guess() -> None:
    assert not cost_of(route(provider="cheap-cloud", model="claude-sonnet-5-5"), Usage(1000, 0, 0, 1)).known


def test_an_unknown_model_in_a_cloud_costs_as_the_dearest_and_is_a_guess() -> None:
    found = cost_of(route(model="made-by-nobody-9"), Usage(MILLION, MILLION, 0, MILLION))
    assert (found.nanodollars, found.known) == (
        nanodollars(FALLBACK.input_per_million + FALLBACK.output_per_million),
        False,
    )


def test_a_model_in_the_house_costs_nothing_unless_a_price_is_set() -> None:
    usage = Usage(MILLION, 0, 0, MILLION)
    assert cost_of(route(place=Place.LOCAL), usage).nanodollars == 0
    assert cost_of(route(place=Place.LOCAL, price=OWN_PRICE), usage).nanodollars == 10 * DOLLAR


counts = st.integers(-10, 2 * MILLION)


@given(
    st.builds(Usage, counts, counts, counts, counts, counts), st.sampled_from([LUNA, SONNET, route(price=OWN_PRICE)])
)
def test_whatever_a_provider_counts_has_a_cost_that_is_not_negative(usage: Usage, asked: Route) -> None:
    assert cost_of(asked, usage).nanodollars >= 0


texts = st.text(max_size=200)


@given(texts, texts, st.integers(1, 1000), st.integers(0, 1000), st.sampled_from([LUNA, SONNET, route(model="none")]))
def test_no_use_of_a_prompt_costs_more_than_its_estimate(
    system: str, user: str, most: int, cached: int, asked: Route
) -> None:
    """As far as it stays within the bounds of input and output."""
    prompt = Prompt("p@1", system, user, "reply", {}, most, (Turn("assistant", user),))
    tokens = most_input_tokens(prompt)
    for usage in (Usage(tokens, cached, 0, most), Usage(tokens, 0, tokens, most, most), Usage(tokens, 0, cached, 0)):
        assert cost_of(asked, usage).nanodollars <= estimate_of(asked, prompt)


def recorded(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Requests with their replies of one wire, as far as both are JSON."""
    for line in (folder / "llm_wire" / name).read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        try:
            yield json.loads(call["request_body"]), json.loads(call["response_body"])
        except (json.JSONDecodeError, TypeError):
            continue


def texts_in(value: object) -> list[str]:
    match value:
        case dict():
            return [text for key, held in value.items() for text in [str(key), *texts_in(held)]]
        case list():
            return [text for held in value for text in texts_in(held)]
        case _:
            return [str(value)]


def is_like_ours(request: dict[str, Any]) -> bool:
    """Text alone, and no tools that the provider runs itself: those bring words of their own, which we never send."""
    kinds = [tool.get("type", "custom") for tool in request.get("tools", [])]
    text = json.dumps(request)
    media = any(f'"{kind}"' in text for kind in ("image", "image_url", "input_audio", "document", "file"))
    return not media and all(kind in ("custom", "function") for kind in kinds)


def as_prompt(request: dict[str, Any], output_tokens: int) -> Prompt:
    user = "\n".join(texts_in([request["messages"], request.get("system", "")]))
    rest = {name: value for name, value in request.items() if name not in ("messages", "system")}
    return Prompt("p@1", "", user, "reply", rest, output_tokens)


def openai_usage(reply: dict[str, Any]) -> Usage:
    used = reply["usage"]
    cached = (used.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(used["prompt_tokens"], cached, 0, used["completion_tokens"])


def anthropic_usage(reply: dict[str, Any]) -> Usage:
    used = reply["usage"]
    read, write = used.get("cache_read_input_tokens") or 0, used.get("cache_creation_input_tokens") or 0
    return Usage(used["input_tokens"] + read + write, read, write, used["output_tokens"])


@pytest.mark.parametrize(
    ("name", "usage_of", "asked"),
    [
        ("success_openai_chat.jsonl", openai_usage, LUNA),
        ("success_anthropic_messages.jsonl", anthropic_usage, SONNET),
    ],
)
def test_no_recorded_call_cost_more_than_its_estimate(
    data_folder: Path, name: str, usage_of: Any, asked: Route
) -> None:
    compared = 0
    for request, reply in recorded(data_folder, name):
        if not is_like_ours(request) or "usage" not in reply:
            continue
        usage = usage_of(reply)
        prompt = as_prompt(request, usage.output_tokens)
        assert usage.input_tokens <= most_input_tokens(prompt), request
        assert cost_of(asked, usage).nanodollars <= estimate_of(asked, prompt)
        compared += 1
    assert compared > 20


def test_the_price_list_answers_as_the_functions_do() -> None:
    prices, usage, prompt = PriceList(), Usage(10, 0, 0, 10), Prompt("p@1", "s", "u", "reply", {}, 100)
    prices.prepare()
    assert prices.cost(LUNA, usage, None) == (cost_of(LUNA, usage).nanodollars, True)
    assert prices.estimate(LUNA, prompt) == estimate_of(LUNA, prompt)


def test_nobody_pays_for_the_prices_before_they_are_asked_for() -> None:
    code = "import sys, pipeline.metering.price; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("amount", "nano"), [(0.25, 250_000_000), (0.1, 100_000_000), (1e-10, 1), (0, 0), (20, 20 * DOLLAR)]
)
def test_dollars_become_whole_nanodollars_rounded_up(amount: float, nano: int) -> None:
    assert nanodollars(amount) == nano
    assert dollars(nano) == pytest.approx(amount, abs=1e-9)
