"""What is exchanged with a language model, whoever provides it: a prompt, a completion, what it used, how calls fail.

Nothing here belongs to one provider's wire. Prompts and completions may quote learners: they never reach a log.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

JsonSchema = Mapping[str, Any]


class Purpose(StrEnum):
    """What a generation is for."""

    FEEDBACK = "feedback"
    SUMMARY = "summary"
    QUESTIONS = "questions"


class Place(StrEnum):
    """Where a model runs: at somebody else's, or in the operator's own house."""

    CLOUD = "cloud"
    LOCAL = "local"


class Turn(msgspec.Struct, frozen=True):
    """One message after the first: a reply of the model that would not do, or what we said to it."""

    role: Literal["user", "assistant"]
    text: str


class Prompt(msgspec.Struct, frozen=True):
    """Everything that is sent to a model, whichever it is.

    `system` is the static part, the same for all uses of one version, so that providers can cache it; `user` holds the
    facts. `turns` follow, where a first reply had to be asked for again. `reference` is the version of the words
    (`feedback/personalized/en@1`). The reply is to be a JSON object after `schema`, called `schema_name`.
    """

    reference: str
    system: str
    user: str
    schema_name: str
    schema: JsonSchema
    max_output_tokens: int
    turns: tuple[Turn, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call, as the provider counted them.

    `input_tokens` includes those read from and written to its cache; `output_tokens` includes those of reasoning.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


class Completion(msgspec.Struct, frozen=True):
    """A complete reply: it ended by itself, was not refused, and its text is what the model wrote.

    `usage` is None where the provider did not say; `model` is the one that it says has written it.
    """

    text: str
    usage: Usage | None
    model: str
    request_id: str | None = None
    first_text_seconds: float | None = None
    """How long until the first text came, where it was streamed."""


class Trouble(StrEnum):
    """How a call failed."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    CUT_OFF = "cut_off"
    UNREADABLE = "unreadable"
    QUOTA_SPENT = "quota_spent"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN_MODEL = "unknown_model"
    BAD_REQUEST = "bad_request"
    CONTEXT_TOO_LONG = "context_too_long"
    REFUSED = "refused"
    FILTERED = "filtered"
    TRUNCATED = "truncated"
    INVALID_REPLY = "invalid_reply"


class Remedy(StrEnum):
    """What helps against a trouble: the same provider after a rest, another one at once, or a second request to it."""

    RETRY = "retry"
    NEXT = "next"
    ASK_AGAIN = "ask_again"


REMEDIES: Final[Mapping[Trouble, Remedy]] = MappingProxyType(
    {
        Trouble.RATE_LIMITED: Remedy.RETRY,
        Trouble.OVERLOADED: Remedy.RETRY,
        Trouble.SERVER_ERROR: Remedy.RETRY,
        Trouble.TIMED_OUT: Remedy.RETRY,
        Trouble.UNREACHABLE: Remedy.RETRY,
        Trouble.CUT_OFF: Remedy.RETRY,
        Trouble.UNREADABLE: Remedy.RETRY,
        Trouble.QUOTA_SPENT: Remedy.NEXT,
        Trouble.UNAUTHORIZED: Remedy.NEXT,
        Trouble.UNKNOWN_MODEL: Remedy.NEXT,
        Trouble.BAD_REQUEST: Remedy.NEXT,
        Trouble.CONTEXT_TOO_LONG: Remedy.NEXT,
        Trouble.REFUSED: Remedy.NEXT,
        Trouble.FILTERED: Remedy.NEXT,
        Trouble.TRUNCATED: Remedy.NEXT,
        Trouble.INVALID_REPLY: Remedy.ASK_AGAIN,
    }
)

ACCOUNT_TROUBLES: Final = frozenset({Trouble.QUOTA_SPENT, Trouble.UNAUTHORIZED})
"""Troubles of the account, whatever was asked: they open its breaker at once."""
HEALTH_TROUBLES: Final = frozenset(
    {
        Trouble.OVERLOADED,
        Trouble.SERVER_ERROR,
        Trouble.TIMED_OUT,
        Trouble.UNREACHABLE,
        Trouble.CUT_OFF,
        Trouble.UNREADABLE,
    }
)
"""Troubles that tell of the provider's health; a rate limit does not, nor does a request of ours that it won't do."""


class Failed(msgspec.Struct, frozen=True):
    """A call that gave no usable reply.

    `status` is HTTP's, where there was an answer; `code` is the provider's own word for it. `usage` is what it booked
    all the same, where it said so. `detail` is for operators: what kind of error it was, never a text that might quote
    the prompt. `text` is the reply where there was one that will not do: it goes into asking again, and nowhere else.
    """

    trouble: Trouble
    detail: str
    status: int | None = None
    code: str | None = None
    retry_after_seconds: float | None = None
    usage: Usage | None = None
    model: str | None = None
    text: str | None = None

    @property
    def remedy(self) -> Remedy:
        """What helps against it."""
        return REMEDIES[self.trouble]


Reply = Completion | Failed
NAME_CHARS: Final = 200


def named_briefly(reply: Reply) -> Reply:
    """The same with names no longer than names are: what a provider calls itself is kept beside each reply."""
    if len(reply.model or "") > NAME_CHARS:
        reply = msgspec.structs.replace(reply, model=(reply.model or "")[:NAME_CHARS])
    if isinstance(reply, Completion) and len(reply.request_id or "") > NAME_CHARS:
        reply = msgspec.structs.replace(reply, request_id=None)
    return reply


class Price(msgspec.Struct, frozen=True):
    """What a million tokens cost in US dollars; where no price of cached ones is known they cost as input."""

    input_per_million: float
    output_per_million: float
    cached_input_per_million: float | None = None


class Route(msgspec.Struct, frozen=True):
    """One way to a model: a configured provider, its model, and what may be asked of it.

    `provider` is the name that people see; `kind` is the wire it speaks. `account` stands for its address and key
    without giving them away: routes of one account share their health. `concurrency` bounds the requests under way
    across all processes. `price` overrides the published one; `timeout_seconds` bounds one request. `structured` is
    how far the endpoint can be held to a form: to a JSON schema, to any JSON object, or not at all. `api` is which of
    OpenAI's two wires it speaks; everybody else speaks chat completions.
    """

    provider: str
    kind: Literal["openai", "anthropic"]
    model: str
    account: str
    place: Place = Place.CLOUD
    weight: int = 1
    concurrency: int = 5
    timeout_seconds: float = 30.0
    first_text_seconds: float = 15.0
    price: Price | None = None
    batch: bool = False
    structured: Literal["schema", "object", "none"] = "schema"
    api: Literal["chat", "responses"] = "chat"

    @property
    def name(self) -> str:
        """`openai/gpt-6-luna`: the provider and its model."""
        return f"{self.provider}/{self.model}"


class Arm(msgspec.Struct, frozen=True):
    """One way that an experiment compares with others: of all learners, `share` parts of the sum of shares get it.

    `provider` is asked first, `prompt` is the version of the words; None leaves either as it is without an experiment.
    """

    name: str
    share: float
    provider: str | None = None
    prompt: str | None = None


class Experiment(msgspec.Struct, frozen=True):
    """What is being compared: its arms, at least two."""

    id: str
    arms: tuple[Arm, ...]
