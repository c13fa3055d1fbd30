"""One tiny request to each configured model, for whoever wants to know whether it answers and what that costs."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import msgspec

from pipeline.bootstrap.generation import build_of
from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Usage
from pipeline.llm.configuration import AiConfiguration
from pipeline.metering.money import dollars
from pipeline.metering.price import PriceList, cost_of

TRIAL: Final = Prompt(
    reference="trial/en@1",
    system="Answer with one JSON object after the schema and nothing else.",
    user='Set "ready" to true.',
    schema_name="trial",
    schema={
        "type": "object",
        "properties": {"ready": {"type": "boolean"}},
        "required": ["ready"],
        "additionalProperties": False,
    },
    max_output_tokens=256,
)
"""Some 50 tokens there and 10 back; a model that thinks before it writes uses more, up to the limit."""
USER: Final = "gradeline-doctor"


class Trial(msgspec.Struct, frozen=True):
    """How a model answered, how long it took, and what it cost in US dollars; None where that is not known."""

    route: Route
    reply: Reply
    seconds: float
    usd: float | None

    @property
    def failed(self) -> Failed | None:
        """What went wrong, if anything did."""
        return None if isinstance(self.reply, Completion) else self.reply


async def try_models(configuration: AiConfiguration) -> Sequence[Trial]:
    """Ask every configured model once, all of them at the same time; no answer of any learner goes along."""
    return await asyncio.gather(*[try_one(configuration, place) for place in range(len(configuration.routes))])


async def try_one(configuration: AiConfiguration, place: int) -> Trial:
    """Ask one model."""
    provider = build_of(configuration, place)
    route, began = provider.route, time.monotonic()
    try:
        reply = await provider.send(TRIAL, user=USER, key=f"trial-{uuid4()}", seconds=route.timeout_seconds)
    finally:
        await provider.close()
    return Trial(route, reply, time.monotonic() - began, cost_in_usd(route, reply))


def cost_in_usd(route: Route, reply: Reply) -> float | None:
    """What a reply cost, where its provider says what was used and there is a price."""
    if reply.usage is None:
        return None
    cost = cost_of(route, reply.usage, reply.model)
    return dollars(cost.nanodollars) if cost.known else None


def most_in_usd(routes: Sequence[Route]) -> float:
    """The most that trying these can cost together, in US dollars."""
    prices = PriceList()
    return dollars(sum(prices.estimate(route, TRIAL) for route in routes))


def price_is_known(route: Route) -> bool:
    """Whether it is known what this model costs."""
    return cost_of(route, Usage(input_tokens=1, output_tokens=1)).known
