"""What a call costs, and the most that it can cost before it is sent.

Prices are those of the `genai-prices` package, which is imported when the first one is asked for and never goes to
the network. A price that the operator has set for a route goes before it.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec

from pipeline.exchange import Place, Price, Prompt, Route, Usage
from pipeline.metering.money import nanodollars

FALLBACK: Final = Price(input_per_million=15.0, output_per_million=75.0)
"""Of a model in a cloud that nobody has a price of: as dear as the dearest that are in common use."""
MILLION: Final = Decimal(1_000_000)
REQUEST_TOKENS: Final = 1_000
"""What a provider may add to a request: its own words around messages and schemas, seen up to 600 tokens."""
OUR_BYTES_PER_TOKEN: Final = 2
"""Our own texts and schemas need 3 to 5 bytes per token in the languages there are."""


class Cost(msgspec.Struct, frozen=True):
    """In nanodollars; `known` is False where the price is a guess."""

    nanodollars: int
    known: bool


def cost_of(route: Route, usage: Usage, model: str | None = None) -> Cost:
    """What a call cost that used so much; `model` is the one that says it has served, if it says so.

    The price is, in this order: that of the route; nothing in the house; that of the model with this provider; that of
    the model with the maker of the wire it speaks; that of the model anywhere, as a guess; `FALLBACK`, as a guess.
    """
    usage = plausible(usage)
    if route.price is not None:
        return Cost(priced(route.price, usage), known=True)
    if route.place is Place.LOCAL:
        return Cost(0, known=True)
    names = dict.fromkeys(name for name in (model, route.model) if name)
    for provider in dict.fromkeys((route.provider, route.kind, None)):
        for name in names:
            published = published_cost(usage, name, provider)
            if published is not None:
                return Cost(published, known=provider is not None)
    return Cost(priced(FALLBACK, usage), known=False)


def estimate_of(route: Route, prompt: Prompt) -> int:
    """The most that a request can cost, in nanodollars: all of its input new or to be cached, all output used up."""
    tokens, output = most_input_tokens(prompt), prompt.max_output_tokens
    plain = Usage(input_tokens=tokens, output_tokens=output)
    cached = Usage(input_tokens=tokens, cache_write_tokens=tokens, output_tokens=output)
    return max(cost_of(route, usage).nanodollars for usage in (plain, cached))


def most_input_tokens(prompt: Prompt) -> int:
    """An upper bound of the tokens of a prompt, whoever counts.

    No tokenizer makes more tokens than bytes, and answers can be written so that it makes as many.
    """
    ours = size_of(prompt.system) + len(msgspec.json.encode(prompt.schema))
    theirs = size_of(prompt.user) + sum(size_of(turn.text) for turn in prompt.turns)
    return REQUEST_TOKENS + -(-ours // OUR_BYTES_PER_TOKEN) + theirs


def size_of(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def plausible(usage: Usage) -> Usage:
    """The usage without what can't be: less than nothing, or more cached input than input."""
    total = max(0, usage.input_tokens)
    cached = min(max(0, usage.cached_input_tokens), total)
    return Usage(
        input_tokens=total,
        cached_input_tokens=cached,
        cache_write_tokens=min(max(0, usage.cache_write_tokens), total - cached),
        output_tokens=max(0, usage.output_tokens),
        reasoning_tokens=max(0, usage.reasoning_tokens),
    )


def priced(price: Price, usage: Usage) -> int:
    """By a price of ours; what is written to a cache costs as input."""
    cached_rate = price.input_per_million if price.cached_input_per_million is None else price.cached_input_per_million
    new = usage.input_tokens - usage.cached_input_tokens
    total = (
        Decimal(str(price.input_per_million)) * new
        + Decimal(str(cached_rate)) * usage.cached_input_tokens
        + Decimal(str(price.output_per_million)) * usage.output_tokens
    )
    return nanodollars(total / MILLION)


def published_cost(usage: Usage, model: str, provider: str | None) -> int | None:
    """By the published price of a model with a provider (None: with any that has it); None where there is none."""
    from genai_prices import Usage as Counted  # noqa: PLC0415 - takes a third of a second: only who asks models pays
    from genai_prices import calc_price  # noqa: PLC0415

    counted: Any = Counted(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    try:
        return nanodollars(calc_price(counted, model, provider_id=provider).total_price)
    except LookupError:
        return None


class PriceList:
    """Prices, as whoever sends requests asks for them."""

    def prepare(self) -> None:
        """Read the published prices now, which takes half a second the first time."""
        published_cost(Usage(), "", None)

    def estimate(self, route: Route, prompt: Prompt) -> int:
        """The most that a request can cost, in nanodollars."""
        return estimate_of(route, prompt)

    def cost(self, route: Route, usage: Usage, model: str | None) -> tuple[int, bool]:
        """What it did cost, in nanodollars, and whether the price is known."""
        cost = cost_of(route, usage, model)
        return cost.nanodollars, cost.known
