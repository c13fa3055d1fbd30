"""Makes the provider of a route; an SDK is loaded when the first route needs it."""

from typing import Protocol

from pipeline.exchange import Route
from pipeline.ports.batch import Remote
from pipeline.ports.generation import Provider


def build_provider(route: Route, api_key: str | None, base_url: str | None) -> Provider:
    """A provider that asks this route's model, with this key and at this address only.

    Without a key none is sent; without an address it is the official one of the route's kind.
    """
    if route.kind == "anthropic":
        from pipeline.llm.anthropic_messages import AnthropicMessages  # noqa: PLC0415 - loads the SDK

        return AnthropicMessages(route, api_key=api_key, base_url=base_url)
    if route.api == "responses":
        from pipeline.llm.openai_responses import OpenAIResponses  # noqa: PLC0415 - loads the SDK

        return OpenAIResponses(route, api_key=api_key, base_url=base_url)
    from pipeline.llm.openai_chat import OpenAIChat  # noqa: PLC0415 - loads the SDK

    return OpenAIChat(route, api_key=api_key, base_url=base_url)


class AnyBatches(Remote, Protocol):
    """A provider's batches, over a client that is to be closed."""

    async def close(self) -> None:
        """Ask nothing more."""
        ...


def build_batches(route: Route, api_key: str | None, base_url: str | None) -> AnyBatches:
    """The batches of a route's provider, with this key and at this address only."""
    if route.kind == "anthropic":
        from pipeline.llm.anthropic_batch import AnthropicBatches  # noqa: PLC0415 - loads the SDK

        return AnthropicBatches(route, api_key=api_key, base_url=base_url)
    from pipeline.llm.openai_batch import OpenAIBatches  # noqa: PLC0415 - loads the SDK

    return OpenAIBatches(route, api_key=api_key, base_url=base_url)
