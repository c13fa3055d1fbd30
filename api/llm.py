"""Operators' look at language models: how they do, what they cost, what is being compared."""

from typing import Annotated, Any, Final

import msgspec
from litestar import get

from api.caller import AnyRequest, allow
from api.description import Answer, described
from api.reading import query_of
from pipeline.exchange import Place
from pipeline.metering.alert import MOST_OF_BUDGET, Alert, AlertName
from pipeline.service.access import Permission
from pipeline.service.overview import (
    AccountHealth,
    ArmFigures,
    Budget,
    Cache,
    Calls,
    Cost,
    Overview,
    ProviderFigures,
    Rated,
    Tokens,
)

TAG: Final = "Operations"
MOST_MINUTES: Final = 1440


class LlmQuery(msgspec.Struct, frozen=True):
    """Which calls to count."""

    minutes: Annotated[
        int, msgspec.Meta(ge=1, le=MOST_MINUTES, description="Those that began in so many minutes until now.")
    ] = 60


CALLS: Final = Calls(
    calls=412,
    under_way=3,
    success_share=0.978,
    errors={"rate_limited": 0.017, "timed_out": 0.005},
    mean_seconds=1.9,
    p50_seconds=1.7,
    p95_seconds=3.6,
    first_text_p50_seconds=0.4,
    first_text_p95_seconds=0.9,
    tokens=Tokens(input=512_300, cached_input=371_200, cache_write=0, output=61_800, reasoning=0),
    cost=Cost(known_usd=0.1132, estimated_usd=0.0021),
    cut_quotations=4,
)
CACHE: Final = Cache(paid_today=1893, hits_today=904, hit_rate_today=0.323)
EXAMPLE: Final = Overview(
    configured=True,
    source="/etc/gradeline/ai.toml",
    problems=(),
    minutes=60,
    alerts=(
        Alert(
            AlertName.BUDGET, "warning", None, 0.85, MOST_OF_BUDGET, None, "When it is spent the built-in texts serve."
        ),
    ),
    budget=Budget(spent_usd=17.0, limit_usd=20.0, share=0.85),
    providers=(
        ProviderFigures(
            provider="openai",
            model="gpt-6-luna",
            configured=True,
            account="5c1f0a9d2b7e4c38",
            place=Place.CLOUD,
            concurrency=20,
            health=AccountHealth("closed", None, None, under_way=5, calls=61, failures=1),
            calls=CALLS,
            cache=CACHE,
        ),
    ),
    arms=(
        ArmFigures(
            experiment="small-or-large",
            arm="small",
            configured=True,
            provider="openai",
            prompt=None,
            assigned=560,
            served=557,
            served_by={"openai": 551, "anthropic": 6, "template": 3},
            calls=CALLS,
            cache=CACHE,
            ratings=Rated(count=38, mean=4.2),
        ),
    ),
)


@get(
    "/v1/ops/llm",
    opt=described(
        TAG,
        {200: Answer("How they do.", Overview, EXAMPLE)},
        permission=Permission.OPERATE,
        query=LlmQuery,
    ),
)
async def show_llm(request: AnyRequest) -> Overview:
    """Show how language models do: providers, money, experiments and alerts.

    Which providers there are and how healthy they are is the installation's; all other figures are the tenant's own.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    return await parts.insight.show(principal, query_of(request, LlmQuery).minutes)


def llm_handlers() -> list[Any]:
    return [show_llm]
