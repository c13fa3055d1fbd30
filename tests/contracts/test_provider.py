"""What every provider must do, over the real SDKs and real HTTP, against the stand-in."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any, Final, Literal

import pytest

from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Trouble, Turn, Usage
from pipeline.llm.build import build_provider
from pipeline.ports.generation import Provider
from tests.clock import LoopClock
from tests.standin.http import Request, Response, listening
from tests.standin.script import Fault, Rule
from tests.standin.server import StandIn, standing_in

Kind = Literal["openai", "responses", "anthropic"]
KINDS: Final[tuple[Kind, ...]] = ("openai", "responses", "anthropic")
KEY: Final = "sk-test-key"
SECONDS: Final = 10.0
SECRET: Final = "a closure remembers the variables around it"
PROMPT: Final = Prompt(
    reference="feedback/personalized/en@1",
    system="You write feedback for learners. " * 8,
    user=f"Why does it print 3?\n<<answer k3v9>>\n{SECRET}\n<<end answer k3v9>>",
    schema_name="answer_feedback",
    schema=MappingProxyType(
        {
            "type": "object",
            "properties": MappingProxyType({"right": {"type": "string"}, "quotation": {"type": "string"}}),
            "required": ("right", "quotation"),
            "additionalProperties": False,
        }
    ),
    max_output_tokens=400,
)
TROUBLES: Final = {
    Fault.RATE_LIMIT: Trouble.RATE_LIMITED,
    Fault.QUOTA: Trouble.QUOTA_SPENT,
    Fault.SERVER_ERROR: Trouble.SERVER_ERROR,
    Fault.UNAVAILABLE: Trouble.OVERLOADED,
    Fault.OVERLOADED: Trouble.OVERLOADED,
    Fault.UNAUTHORIZED: Trouble.UNAUTHORIZED,
    Fault.FORBIDDEN: Trouble.UNAUTHORIZED,
    Fault.UNKNOWN_MODEL: Trouble.UNKNOWN_MODEL,
    Fault.CONTEXT_TOO_LONG: Trouble.CONTEXT_TOO_LONG,
    Fault.BAD_REQUEST: Trouble.BAD_REQUEST,
    Fault.DISCONNECT: Trouble.CUT_OFF,
    Fault.CUT: Trouble.CUT_OFF,
    Fault.CLEAN_CUT: Trouble.CUT_OFF,
    Fault.BAD_JSON: Trouble.UNREADABLE,
    Fault.TRUNCATED: Trouble.TRUNCATED,
    Fault.REFUSAL: Trouble.REFUSED,
}
ENDED_BADLY: Final = {
    ("openai", Fault.CONTENT_FILTER): Trouble.FILTERED,
    ("responses", Fault.CONTENT_FILTER): Trouble.FILTERED,
    ("responses", Fault.STREAM_ERROR): Trouble.SERVER_ERROR,
    ("anthropic", Fault.CONTENT_FILTER): Trouble.REFUSED,  # one stop reason for both
    ("openai", Fault.STREAM_ERROR): Trouble.SERVER_ERROR,
    ("anthropic", Fault.STREAM_ERROR): Trouble.OVERLOADED,
}


class Listener:
    """Takes a stream down."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    async def __call__(self, text: str) -> None:
        self.pieces.append(text)


def route_of(kind: Kind, **others: object) -> Route:
    if kind == "responses":
        others["api"] = "responses"
    return Route("stand-in", "anthropic" if kind == "anthropic" else "openai", "model-1", "account", **others)  # type: ignore[arg-type]


def base_url(kind: Kind, url: str) -> str:
    """Where each SDK expects its version of the path."""
    return url if kind == "anthropic" else f"{url}/v1"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with standing_in() as server:
        yield server


@pytest.fixture
async def provider(kind: Kind, stand_in: StandIn) -> AsyncIterator[Provider]:
    built = build_provider(route_of(kind), KEY, base_url(kind, stand_in.url))
    yield built
    await built.close()


def system_of(body: Any) -> str:
    """The static part, wherever a wire has it."""
    if "messages" not in body:
        return str(body["instructions"])
    return str(body["system"][0]["text"] if "system" in body else body["messages"][0]["content"])


async def send(provider: Provider, prompt: Prompt = PROMPT, *, listener: Listener | None = None) -> Reply:
    return await provider.send(prompt, user="3f7a", key="request-1", seconds=SECONDS, tell=listener)


async def completed(provider: Provider, *, listener: Listener | None = None) -> Completion:
    reply = await send(provider, listener=listener)
    assert isinstance(reply, Completion)
    return reply


def test_it_is_a_provider_and_says_of_which_route(kind: Kind) -> None:
    built = build_provider(route_of(kind), KEY, "http://127.0.0.1:9")
    assert isinstance(built, Provider)
    assert built.route == route_of(kind)


async def test_a_good_reply_comes_with_what_it_used_and_who_wrote_it(provider: Provider, stand_in: StandIn) -> None:
    reply = await completed(provider)
    [call] = stand_in.calls
    assert call.booked is not None
    assert f'"quotation":"{SECRET}"' in reply.text
    assert (reply.model, reply.request_id) == ("model-1", "req_000001")
    assert reply.usage == Usage(
        input_tokens=call.booked.input, cache_write_tokens=call.booked.cache_write, output_tokens=call.booked.output
    )


async def test_a_streamed_reply_is_the_one_that_comes_whole(provider: Provider, stand_in: StandIn) -> None:
    stand_in.play(Rule(fault=Fault.SLOW_STREAM), slow_seconds=0.005)  # what arrives together is told together
    listener = Listener()
    await completed(provider)
    whole, streamed = await completed(provider), await completed(provider, listener=listener)
    assert len(listener.pieces) > 3
    assert "".join(listener.pieces) == streamed.text == whole.text
    assert (streamed.usage, streamed.model) == (whole.usage, whole.model)
    assert streamed.request_id == "req_000003"
    assert streamed.first_text_seconds is not None
    assert whole.first_text_seconds is None


async def test_input_read_from_the_cache_counts_as_input(provider: Provider, stand_in: StandIn) -> None:
    await completed(provider)
    usage = (await completed(provider)).usage
    booked = stand_in.calls[1].booked
    assert usage is not None
    assert booked is not None
    assert (usage.input_tokens, usage.cached_input_tokens) == (booked.input, booked.cached)
    assert usage.cached_input_tokens == len(PROMPT.system) // 4
    assert usage.cache_write_tokens == 0


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", [*TROUBLES, Fault.CONTENT_FILTER, Fault.STREAM_ERROR])
async def test_a_failure_is_a_reply_after_one_request(
    provider: Provider, stand_in: StandIn, kind: Kind, fault: Fault, *, streamed: bool
) -> None:
    stand_in.play(Rule(fault=fault, retry_after="7"))
    reply = await send(provider, listener=Listener() if streamed else None)
    assert isinstance(reply, Failed)
    assert reply.trouble is (TROUBLES.get(fault) or ENDED_BADLY[kind, fault])
    assert len(stand_in.calls) == 1
    assert "remembers" not in reply.detail


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.REFUSAL, Fault.CONTENT_FILTER])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_what_an_unusable_reply_used_is_kept(
    provider: Provider, stand_in: StandIn, fault: Fault, *, streamed: bool
) -> None:
    stand_in.play(Rule(fault=fault))
    reply = await send(provider, listener=Listener() if streamed else None)
    booked = stand_in.calls[0].booked
    assert isinstance(reply, Failed)
    assert reply.usage is not None
    assert booked is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (booked.input, booked.output)


async def test_a_stream_that_is_cut_was_told_as_far_as_it_came_and_is_no_reply(
    provider: Provider, stand_in: StandIn
) -> None:
    stand_in.play(Rule(fault=Fault.CLEAN_CUT))
    listener = Listener()
    reply = await send(provider, listener=listener)
    assert isinstance(reply, Failed)
    assert listener.pieces
    assert reply.usage is None  # what was used up to the cut is not known


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("0.25", 0.25), ("later", None)])
async def test_it_passes_on_how_long_the_provider_asks_to_wait(
    provider: Provider, stand_in: StandIn, asked: str, seconds: float | None
) -> None:
    stand_in.play(Rule(fault=Fault.RATE_LIMIT, retry_after=asked))
    reply = await send(provider)
    assert isinstance(reply, Failed)
    assert (reply.status, reply.retry_after_seconds) == (429, seconds)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_no_call_outlives_its_time(provider: Provider, stand_in: StandIn, *, streamed: bool) -> None:
    stand_in.play(Rule(fault=Fault.SILENT))
    began = asyncio.get_running_loop().time()
    reply = await provider.send(PROMPT, user="3f7a", key="k", seconds=0.2, tell=Listener() if streamed else None)
    assert isinstance(reply, Failed)
    assert reply.trouble is Trouble.TIMED_OUT
    assert 0.2 <= asyncio.get_running_loop().time() - began < 5
    await stand_in.record.until(lambda record: record.under_way == 0)


async def test_a_reply_that_drips_is_bounded_in_all_and_not_only_per_piece(
    provider: Provider, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next piece comes when the clock has moved, the third one when the time is over, and none after it."""
    stand_in.play(Rule(fault=Fault.SLOW_STREAM), slow_seconds=0.5)
    clock, pieces = LoopClock(monkeypatch), list[str]()

    async def tell(text: str) -> None:
        pieces.append(text)
        clock.pass_by(40.0)

    reply = await provider.send(PROMPT, user="3f7a", key="k", seconds=100.0, tell=tell)
    assert isinstance(reply, Failed)
    assert (reply.trouble, reply.detail) == (Trouble.TIMED_OUT, "no end in time")
    assert len(pieces) == 3


async def test_a_stream_without_text_is_given_up_before_the_whole_time_is_over(kind: Kind, stand_in: StandIn) -> None:
    stand_in.play(Rule(fault=Fault.SLOW_FIRST))
    provider = build_provider(route_of(kind, first_text_seconds=0.1), KEY, base_url(kind, stand_in.url))
    reply = await send(provider, listener=Listener())
    await provider.close()
    assert isinstance(reply, Failed)
    assert (reply.trouble, reply.detail) == (Trouble.TIMED_OUT, "no text in time")


async def test_a_cancelled_call_ends_its_request(provider: Provider, stand_in: StandIn) -> None:
    stand_in.play(Rule(fault=Fault.SILENT))
    call = asyncio.create_task(send(provider))
    await stand_in.record.until(lambda record: record.under_way == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await stand_in.record.until(lambda record: record.under_way == 0)


async def test_nobody_listening_means_unreachable_and_surely_not_billed(kind: Kind) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        provider = build_provider(route_of(kind), KEY, url)
        reply = await send(provider)
        await provider.close()
    assert isinstance(reply, Failed)
    assert reply.trouble is Trouble.UNREACHABLE


async def test_a_fault_of_our_own_is_not_taken_for_the_providers(provider: Provider) -> None:
    async def broken(_: str) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await provider.send(PROMPT, user="3f7a", key="k", seconds=SECONDS, tell=broken)


async def test_only_our_headers_leave_whatever_the_environment_holds(
    kind: Kind, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "leaked")
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "Authorization: Bearer leaked\nX-Api-Key: leaked\nX-Team: leaked")
    provider = build_provider(route_of(kind), KEY, base_url(kind, stand_in.url))
    await completed(provider)
    await provider.close()
    [call] = stand_in.calls
    assert (call.key, call.idempotency_key) == (KEY, "request-1")
    assert "leaked" not in str(call.headers)
    assert not [name for name in call.headers if name.startswith(("openai-", "x-stainless-os", "x-stainless-arch"))]


async def test_a_route_without_a_key_sends_none_though_the_environment_has_one(
    kind: Kind, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "leaked")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "leaked")
    provider = build_provider(route_of(kind), None, base_url(kind, stand_in.url))
    await completed(provider)
    await provider.close()
    assert stand_in.calls[0].key is None


async def test_the_proxy_that_the_environment_names_is_asked(
    kind: Kind, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", stand_in.url)
    provider = build_provider(route_of(kind), KEY, base_url(kind, "http://models.example"))
    await completed(provider)
    await provider.close()
    [call] = stand_in.calls
    assert call.headers["host"] == "models.example"


async def test_an_address_that_the_environment_excepts_is_asked_without_a_proxy(
    kind: Kind, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    provider = build_provider(route_of(kind), KEY, base_url(kind, stand_in.url))
    await completed(provider)
    await provider.close()
    assert len(stand_in.calls) == 1


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_one_call_after_the_other_takes_one_connection(
    provider: Provider, stand_in: StandIn, *, streamed: bool
) -> None:
    for _ in range(4):
        await completed(provider, listener=Listener() if streamed else None)
    assert len({call.connection for call in stand_in.calls}) == 1


async def test_a_redirect_is_not_followed(provider: Provider, stand_in: StandIn) -> None:
    stand_in.play(Rule(raw="", status=307, headers={"location": "http://127.0.0.1:9/elsewhere"}))
    reply = await send(provider)
    assert isinstance(reply, Failed)
    assert (reply.trouble, len(stand_in.calls)) == (Trouble.BAD_REQUEST, 1)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_reply_without_an_end_is_given_up_and_not_kept_in_memory(kind: Kind, *, streamed: bool) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async def answer(_: Request) -> Response:
        return Response(
            200, {"content-type": "text/event-stream" if streamed else "application/json"}, chunks=endless()
        )

    async with listening(answer) as port:
        provider = build_provider(route_of(kind), KEY, base_url(kind, f"http://127.0.0.1:{port}"))
        tell = Listener() if streamed else None
        reply = await provider.send(PROMPT, user="u", key="k", seconds=SECONDS, tell=tell)
        await provider.close()
    assert isinstance(reply, Failed)
    assert reply.trouble is Trouble.UNREADABLE


async def test_a_page_of_a_proxy_is_not_a_reply(provider: Provider, stand_in: StandIn) -> None:
    stand_in.play(Rule(raw="<html>Welcome</html>", headers={"content-type": "text/html"}))
    for listener in (None, Listener()):
        reply = await send(provider, listener=listener)
        assert isinstance(reply, Failed)
        assert reply.trouble in {Trouble.UNREADABLE, Trouble.CUT_OFF}


async def test_the_static_part_comes_first_and_the_learner_only_as_a_hash(
    provider: Provider, stand_in: StandIn
) -> None:
    again = Prompt(
        **{name: getattr(PROMPT, name) for name in PROMPT.__struct_fields__ if name != "turns"},
        turns=(Turn("assistant", "{}"), Turn("user", "A field is missing.")),
    )
    await send(provider, again)
    [call] = stand_in.calls
    body = call.body
    said = [message for message in body.get("messages") or body["input"] if message["role"] != "system"]
    assert system_of(body) == PROMPT.system
    assert [message["content"] for message in said] == [PROMPT.user, "{}", "A field is missing."]
    assert call.user == "3f7a"
    assert "temperature" not in body


async def test_neither_prompt_nor_reply_is_logged_even_when_everything_is(
    provider: Provider, stand_in: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await completed(provider)
        await completed(provider, listener=Listener())
        stand_in.play(Rule(fault=Fault.BAD_JSON))
        await send(provider)
        stand_in.play(Rule(raw=f'{{"error": {{"message": "{SECRET}"}}}}', status=400))
        reply = await send(provider)
    assert "remembers" not in caplog.text
    assert KEY not in caplog.text
    assert isinstance(reply, Failed)
    assert "remembers" not in str(reply)


@pytest.mark.parametrize("structured", ["object", "none"])
async def test_an_endpoint_that_knows_no_schemas_is_told_in_words(
    kind: Kind, stand_in: StandIn, structured: str
) -> None:
    provider = build_provider(route_of(kind, structured=structured), KEY, base_url(kind, stand_in.url))
    stand_in.play(Rule(text="{}"))
    await completed(provider)
    await provider.close()
    body = stand_in.calls[0].body
    system = system_of(body)
    assert system.startswith(PROMPT.system)
    assert '"additionalProperties":false' in system
    assert "output_config" not in body
    asked = body.get("response_format") or body.get("text", {}).get("format")
    assert asked == ({"type": "json_object"} if structured == "object" and kind != "anthropic" else None)
