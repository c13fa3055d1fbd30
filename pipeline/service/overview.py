"""How generation does, as operators see it."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from pipeline.exchange import Place
from pipeline.metering.alert import Alert

Usd = Annotated[float, msgspec.Meta(description="US dollars.")]
Share = Annotated[float, msgspec.Meta(ge=0, description="Of 1.")]


class AccountHealth(msgspec.Struct, frozen=True):
    """How an account does at this moment, for all workers and tenants; calls are those of the breaker's window."""

    breaker: Literal["closed", "open", "half_open"]
    opens_again_in_seconds: float | None
    cooling_seconds: float | None
    under_way: int
    calls: int
    failures: int


class Tokens(msgspec.Struct, frozen=True):
    """Tokens as the providers counted them; input includes what was cached, output the reasoning."""

    input: int
    cached_input: int
    cache_write: int
    output: int
    reasoning: int


class Cost(msgspec.Struct, frozen=True):
    """What the calls cost: as booked by the provider, and where it did not say, at most."""

    known_usd: Usd
    estimated_usd: Usd


class Cache(msgspec.Struct, frozen=True):
    """Today's replies (UTC): those that were asked for, and those that the journal had. No rate where none were."""

    paid_today: int
    hits_today: int
    hit_rate_today: Share | None


class Calls(msgspec.Struct, frozen=True):
    """What the tenant's calls of the window came to; shares and times are null where there were none.

    `errors` is the share of each kind of failure in all calls that ended, `lost` are those whose worker died.
    """

    calls: int
    under_way: int
    success_share: Share | None
    errors: Mapping[str, float]
    mean_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    first_text_p50_seconds: float | None
    first_text_p95_seconds: float | None
    tokens: Tokens
    cost: Cost
    cut_quotations: int


class ProviderFigures(msgspec.Struct, frozen=True):
    """One provider with one model.

    `configured` is false for one that was asked within the window and is configured no more; `health` is null where
    it isn't known. The cache is the provider's, whichever model it had.
    """

    provider: str
    model: str
    configured: bool
    account: str | None
    place: Place | None
    concurrency: int | None
    health: AccountHealth | None
    calls: Calls
    cache: Cache


class Rated(msgspec.Struct, frozen=True):
    """Learners' ratings, from 1 to 5."""

    count: int
    mean: float | None


class ArmFigures(msgspec.Struct, frozen=True):
    """One arm of an experiment: what it was to be, what was served, and how that went.

    `assigned` answers fell to it within the window; `served` were written by models, `served_by` says by which
    provider, and how many the built-in texts had to serve (`template`).
    """

    experiment: str
    arm: str
    configured: bool
    provider: str | None
    prompt: str | None
    assigned: int
    served: int
    served_by: Mapping[str, int]
    calls: Calls
    cache: Cache
    ratings: Rated


class Budget(msgspec.Struct, frozen=True):
    """The tenant's money of today (UTC); what is reserved counts as spent. Without a limit there is no share."""

    spent_usd: Usd
    limit_usd: Usd | None
    share: Share | None


class Overview(msgspec.Struct, frozen=True):
    """How generation does.

    Breakers and places are the installation's; all else counts the tenant's own calls that began in the last
    `minutes`. `configured` is false where this process knows of no model: templates write then, unless workers were
    told more. `problems` say why its configuration cannot be read.
    """

    configured: bool
    source: str
    problems: tuple[str, ...]
    minutes: int
    alerts: tuple[Alert, ...]
    budget: Budget
    providers: tuple[ProviderFigures, ...]
    arms: tuple[ArmFigures, ...]
