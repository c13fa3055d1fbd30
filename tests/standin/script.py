"""What the stand-in is told to do: rules in order, then a mix by chance, otherwise a good reply."""

import random
from enum import StrEnum
from typing import Any, Literal

import msgspec


class Fault(StrEnum):
    """Ways to fail."""

    RATE_LIMIT = "rate_limit"  # 429
    QUOTA = "quota"  # 429 that no waiting helps against
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    OVERLOADED = "overloaded"  # 529
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403
    UNKNOWN_MODEL = "unknown_model"  # 404
    CONTEXT_TOO_LONG = "context_too_long"  # 400
    BAD_REQUEST = "bad_request"  # 400
    DISCONNECT = "disconnect"  # hangs up instead of answering
    CUT = "cut"  # hangs up in the middle of the reply
    CLEAN_CUT = "clean_cut"  # the reply ends as HTTP wants it, without saying that it is complete
    TRUNCATED = "truncated"  # the model's limit of tokens
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    BAD_JSON = "bad_json"  # status 200, and what comes can't be read
    OFF_SCHEMA = "off_schema"  # a complete reply that is not after the schema
    SILENT = "silent"  # takes the request and never answers
    SLOW_FIRST = "slow_first"  # `slow_seconds` until the first text
    SLOW_STREAM = "slow_stream"  # `slow_seconds` between pieces
    STREAM_ERROR = "stream_error"  # an error after status 200 and some text; 500 where nothing is streamed


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """What to do with requests that match; a rule with `times` is used up after so many.

    `matching` is looked for in the request's body. `text` is the model's reply, word by word; `raw` replaces the whole
    HTTP body, with `status` and `headers`, for what was recorded elsewhere.
    """

    fault: Fault | None = None
    times: int | None = None
    model: str | None = None
    matching: str | None = None
    retry_after: str | None = None
    latency_seconds: float | None = None
    text: str | None = None
    raw: str | None = None
    status: int = 200
    headers: dict[str, str] = {}


class Script(msgspec.Struct, forbid_unknown_fields=True):
    """`mix` gives faults their share of requests (0.1: one in ten), drawn in the order of arrival from `seed`.

    `obey` is a model that does what the text of an answer demands of it.
    """

    rules: list[Rule] = []
    mix: dict[Fault, float] = {}
    seed: int = 0
    latency_seconds: float = 0.0
    slow_seconds: float = 30.0
    retry_after: str | None = None
    mode: Literal["compliant", "obey"] = "compliant"
    piece_characters: int = 12


class Director:
    """Says for each request what is to happen."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._chance = random.Random(script.seed)  # noqa: S311 - a play, not a secret

    def next(self, body: bytes, model: str) -> Rule:
        """The first rule that fits, or one by chance."""
        for rule in self.script.rules:
            if rule.times != 0 and fits(rule, body, model):
                rule.times = None if rule.times is None else rule.times - 1
                return rule
        return Rule(fault=self._by_chance(), retry_after=self.script.retry_after)

    def _by_chance(self) -> Fault | None:
        point = self._chance.random()
        for fault, share in self.script.mix.items():
            if point < share:
                return fault
            point -= share
        return None


def fits(rule: Rule, body: bytes, model: str) -> bool:
    """Whether a rule is meant for this request."""
    return rule.model in (None, model) and (rule.matching is None or rule.matching.encode() in body)


def read_script(value: Any) -> Script:
    """From JSON; a name that is not known is an error."""
    return msgspec.convert(value, Script)
