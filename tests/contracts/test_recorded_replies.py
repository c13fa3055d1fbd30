"""What real providers were recorded to say, played back over HTTP to the real SDKs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from pipeline.exchange import Completion, Failed, Prompt, Reply, Route, Trouble, Usage
from pipeline.llm.build import build_provider
from tests.standin.script import Rule
from tests.standin.server import standing_in

Kind = Literal["openai", "responses", "anthropic"]
Recorded = dict[str, Any]

PROMPT: Final = Prompt("recorded@1", "system", "user", "recorded", {"type": "object"}, 100)
NO_TEXT: Final = {
    **dict.fromkeys(("w00141", "w00165", "w00170", "w00471", "w00476", "w00649", "w00655"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00659", "w00665", "w00669", "w00676", "w00682", "w00689"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00829", "w00834", "w00855", "w00860"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00588", "w00594", "w00609"), Trouble.REFUSED),
    **dict.fromkeys(("w00097", "w00373", "w00377", "w00385", "w00389"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00398", "w00406", "w00424", "w00764", "w00768"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00000", "w00065", "w00069", "w00073", "w00077", "w00085", "w00193"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00218", "w00231", "w00307", "w00323", "w00333", "w00350"), Trouble.INVALID_REPLY),
    **dict.fromkeys(("w00651", "w00741", "w00881"), Trouble.INVALID_REPLY),
    "w00189": Trouble.CUT_OFF,  # only queued
    **dict.fromkeys(("w00235", "w00239", "w00255"), Trouble.CUT_OFF),  # compactions: no response of a model
    **dict.fromkeys(("w00025", "w00369"), Trouble.UNREADABLE),  # a batch and a count of tokens: no messages
}
"""Recorded successes that are no text of a model that ended by itself: tools were called, or it refused."""
NOTHING_BOOKED: Final = {"w00025", "w00369", "w00189", "w00665", "w00669", "w00676"}
"""Those of them that don't say what was used: it was not asked for, or it is no reply."""

ERRORS: Final = {
    "w00001": Trouble.UNAUTHORIZED,
    "w00003": Trouble.UNAUTHORIZED,
    "w00005": Trouble.UNAUTHORIZED,
    "w00007": Trouble.UNAUTHORIZED,
    "w00009": Trouble.UNAUTHORIZED,
    "w00011": Trouble.UNAUTHORIZED,
    "w00013": Trouble.CONTEXT_TOO_LONG,
    "w00015": Trouble.CONTEXT_TOO_LONG,
    "w00017": Trouble.CONTEXT_TOO_LONG,
    "w00019": Trouble.CONTEXT_TOO_LONG,
    "w00021": Trouble.CONTEXT_TOO_LONG,
    "w00023": Trouble.CONTEXT_TOO_LONG,
    "w00156": Trouble.BAD_REQUEST,
    "w00283": Trouble.BAD_REQUEST,
    "w00367": Trouble.UNKNOWN_MODEL,
    "w00463": Trouble.RATE_LIMITED,
    "w00467": Trouble.INVALID_REPLY,
    "w00478": Trouble.UNKNOWN_MODEL,
    "w00480": Trouble.UNKNOWN_MODEL,
    "w00482": Trouble.UNKNOWN_MODEL,
    "w00485": Trouble.UNKNOWN_MODEL,
    "w00840": Trouble.UNKNOWN_MODEL,
}
ROUTES: Final[dict[Kind, Route]] = {
    "openai": Route("recorded", "openai", "m", "account"),
    "responses": Route("recorded", "openai", "m", "account", api="responses"),
    "anthropic": Route("recorded", "anthropic", "m", "account"),
}
FILES: Final[dict[Kind, str]] = {
    "openai": "success_openai_chat.jsonl",
    "responses": "success_openai_responses.jsonl",
    "anthropic": "success_anthropic_messages.jsonl",
}


@pytest.fixture(scope="session")
def wires(data_folder: Path) -> Path:
    if not (data_folder / "llm_wire").is_dir():
        pytest.skip("no recorded replies of providers here")
    return data_folder / "llm_wire"


def recorded(file: Path) -> Iterator[Recorded]:
    for line in file.read_text().splitlines():
        yield json.loads(line)


def body_of(one: Recorded) -> str:
    body = one["response_body"]
    return body if isinstance(body, str) else json.dumps(body)


async def replay(kind: Kind, entries: list[Recorded]) -> dict[str, Reply]:
    """Each recorded body, asked for as it was recorded: as a stream or whole."""
    replies: dict[str, Reply] = {}

    async def ignore(_: str) -> None: ...

    async with standing_in() as stand_in:
        provider = build_provider(ROUTES[kind], "sk-key", f"{stand_in.url}/v1")
        for one in entries:
            form = "text/event-stream" if one["sse"] else "application/json"
            stand_in.play(Rule(raw=body_of(one), status=one["status"], headers={"content-type": form}))
            tell = ignore if one["sse"] else None
            replies[one["id"]] = await provider.send(PROMPT, user="u", key="k", seconds=30, tell=tell)
        await provider.close()
    return replies


def events_of(body: str) -> list[Any]:
    """The data of a recorded stream."""
    lines = [line.removeprefix("data:").strip() for line in body.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def chat_said(one: Recorded) -> tuple[str, dict[str, Any] | None]:
    """Text and usage, read from a recorded body by the shortest way."""
    if one["sse"]:
        chunks = events_of(body_of(one))
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
        used = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
        return "".join(delta.get("content") or "" for delta in deltas), used[-1] if used else None
    body = json.loads(body_of(one))
    return body["choices"][0]["message"]["content"], body["usage"]


def message_said(one: Recorded) -> tuple[str, dict[str, Any]]:
    if not one["sse"]:
        body = json.loads(body_of(one))
        return "".join(block.get("text", "") for block in body["content"] if block["type"] == "text"), body["usage"]
    events = events_of(body_of(one))
    texts = [event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta"]
    used = events[0]["message"]["usage"]
    for event in events:
        used |= event.get("usage", {}) if event["type"] == "message_delta" else {}
    return "".join(texts), used


def openai_usage(used: dict[str, Any]) -> Usage:
    read = used.get("prompt_tokens_details") or {}
    written = used.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=used["prompt_tokens"],
        cached_input_tokens=read.get("cached_tokens", 0),
        output_tokens=used["completion_tokens"],
        reasoning_tokens=written.get("reasoning_tokens", 0),
    )


def anthropic_usage(used: dict[str, Any]) -> Usage:
    read, write = used.get("cache_read_input_tokens") or 0, used.get("cache_creation_input_tokens") or 0
    return Usage(
        input_tokens=used["input_tokens"] + read + write,
        cached_input_tokens=read,
        cache_write_tokens=write,
        output_tokens=used["output_tokens"],
        reasoning_tokens=(used.get("output_tokens_details") or {}).get("thinking_tokens", 0),
    )


async def test_every_recorded_chat_completion_is_read_as_it_was_meant(wires: Path) -> None:
    entries = list(recorded(wires / FILES["openai"]))
    replies = await replay("openai", entries)
    assert len(replies) == 65
    for one in (one for one in entries if one["id"] not in NO_TEXT):
        reply, (text, used) = replies[one["id"]], chat_said(one)
        assert isinstance(reply, Completion), one["id"]
        assert reply.text == text, one["id"]
        assert reply.usage == (openai_usage(used) if used else None), one["id"]
        assert reply.model


async def test_every_recorded_message_is_read_as_it_was_meant(wires: Path) -> None:
    entries = list(recorded(wires / FILES["anthropic"]))
    replies = await replay("anthropic", entries)
    assert len(replies) == 52
    for one in (one for one in entries if one["id"] not in NO_TEXT):
        reply, (text, used) = replies[one["id"]], message_said(one)
        assert isinstance(reply, Completion), one["id"]
        assert reply.text == text, one["id"]
        assert reply.usage == anthropic_usage(used), one["id"]
        assert reply.model


def response_said(one: Recorded) -> tuple[str, dict[str, Any]]:
    """A stream ends with the whole; its text is that of all messages in it."""
    body = events_of(body_of(one))[-1]["response"] if one["sse"] else json.loads(body_of(one))
    parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts), body["usage"]


def response_usage(used: dict[str, Any]) -> Usage:
    return Usage(
        input_tokens=used["input_tokens"],
        cached_input_tokens=used["input_tokens_details"]["cached_tokens"],
        output_tokens=used["output_tokens"],
        reasoning_tokens=used["output_tokens_details"]["reasoning_tokens"],
    )


async def test_every_recorded_response_is_read_as_it_was_meant(wires: Path) -> None:
    entries = list(recorded(wires / FILES["responses"]))
    replies = await replay("responses", entries)
    assert len(replies) == 62
    for one in (one for one in entries if one["id"] not in NO_TEXT):
        reply, (text, used) = replies[one["id"]], response_said(one)
        assert isinstance(reply, Completion), (one["id"], reply)
        assert reply.text == text, one["id"]
        assert reply.usage == response_usage(used), one["id"]
        assert reply.model


@pytest.mark.parametrize("kind", FILES)
async def test_every_recorded_reply_without_a_complete_text_is_named_for_what_it_is(wires: Path, kind: Kind) -> None:
    entries = [one for one in recorded(wires / FILES[kind]) if one["id"] in NO_TEXT]
    for name, reply in (await replay(kind, entries)).items():
        assert isinstance(reply, Failed), name
        assert reply.trouble is NO_TEXT[name], name
        assert (reply.usage is None) == (name in NOTHING_BOOKED), name


async def test_every_recorded_error_is_classified_as_what_it_is(wires: Path) -> None:
    entries = list(recorded(wires / "errors.jsonl"))
    for kind in FILES:
        replies = await replay(kind, entries)
        found = {name: reply.trouble for name, reply in replies.items() if isinstance(reply, Failed)}
        assert found == ERRORS, kind


def test_the_table_names_no_reply_that_is_not_recorded(wires: Path) -> None:
    names = {one["id"] for file in FILES.values() for one in recorded(wires / file)}
    assert names >= NO_TEXT.keys()
