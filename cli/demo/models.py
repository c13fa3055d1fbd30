"""What `gradeline demo` has to do with language models: whether any may be asked, and what they came to."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from cli.output import print_table
from pipeline.errors import EnvironmentFault
from pipeline.settings import Settings

ENABLING: Final = frozenset({"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GRADELINE_AI_CONFIG"})
"""What makes a worker ask a model."""
NO_MODEL: Final = (
    "No language model is configured, so --ai has nothing to show. Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or name "
    "a file of models by GRADELINE_AI_CONFIG (docs/ai.toml is one); without --ai the demo needs none of them."
)
SPENT: Final = """
SELECT provider, coalesce(served_model, model) AS model, count(*) AS requests, count(trouble) AS failed,
    coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
    coalesce(sum(cached_input_tokens), 0)::bigint AS cached_input_tokens,
    coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
    sum(coalesce(cost, estimate))::bigint AS nanodollars,
    bool_and(coalesce(cost_known, false)) AS known
FROM llm_attempts GROUP BY 1, 2 ORDER BY 1, 2
"""


class ModelUse(msgspec.Struct, frozen=True):
    """What one model came to: requests, those that failed, tokens, and the price in US dollars.

    `known` is False where a part of the price had to be estimated.
    """

    provider: str
    model: str
    requests: int
    failed: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    usd: float
    known: bool


def without_models(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which no worker asks a model, whatever keys there are."""
    return {name: value for name, value in environment.items() if name not in ENABLING}


def require_models(settings: Settings) -> None:
    """Raise `EnvironmentFault` where no model could be asked."""
    from pipeline.llm.configuration import read_configuration

    if not read_configuration(settings).routes:
        raise EnvironmentFault(NO_MODEL)


def read_use(database_url: str) -> tuple[ModelUse, ...]:
    """What the ledger says of each model."""
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        return tuple(use_from(row) for row in connection.execute(SPENT))


def use_from(row: dict[str, Any]) -> ModelUse:
    nanodollars = row.pop("nanodollars")
    return ModelUse(**row, usd=nanodollars / 10**9)


def print_use(uses: tuple[ModelUse, ...]) -> None:
    """The ledger as a table, and what it comes to."""
    print_table(
        ["provider", "model", "requests", "failed", "tokens in", "of them cached", "tokens out", "US$"],
        [cells(use) for use in uses],
        title="\nLanguage models, from the ledger",
    )


def cells(use: ModelUse) -> list[str]:
    counts = (use.requests, use.failed, use.input_tokens, use.cached_input_tokens, use.output_tokens)
    return [
        use.provider,
        use.model,
        *(f"{count:,}" for count in counts),
        f"{'' if use.known else 'about '}{use.usd:.4f}",
    ]
