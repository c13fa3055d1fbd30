"""The stand-in itself: takes a request on any wire, asks its script what shall happen, and plays it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from tests.standin.calls import Call, Record
from tests.standin.chat import Chat
from tests.standin.http import Cut, Request, Response, json_response, listening
from tests.standin.messages import Messages
from tests.standin.replies import compliant, obedient, off_schema
from tests.standin.responses import Responses
from tests.standin.script import Director, Fault, Rule, Script, read_script
from tests.standin.wire import EVENT_STREAM, Asked, Wire, Written

WIRES: Final[Mapping[str, Wire]] = {"/chat/completions": Chat(), "/responses": Responses(), "/messages": Messages()}
ERRORS: Final = frozenset(
    {
        Fault.RATE_LIMIT,
        Fault.QUOTA,
        Fault.SERVER_ERROR,
        Fault.UNAVAILABLE,
        Fault.OVERLOADED,
        Fault.UNAUTHORIZED,
        Fault.FORBIDDEN,
        Fault.UNKNOWN_MODEL,
        Fault.CONTEXT_TOO_LONG,
        Fault.BAD_REQUEST,
    }
)
FINISHES: Final[Mapping[Fault, str | None]] = {
    Fault.TRUNCATED: "length",
    Fault.REFUSAL: "refusal",
    Fault.CONTENT_FILTER: "content_filter",
    Fault.CLEAN_CUT: None,
}
REFUSAL: Final = "I'm sorry, I can't help with that."


class StandIn:
    """A stand-in that is listening. `url` is what SDKs take as base URL, `/v1` or not as they want it."""

    def __init__(self, script: Script | None = None) -> None:
        self.port = 0
        self.record = Record()
        self._director = Director(script or Script())

    @property
    def script(self) -> Script:
        return self._director.script

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Call]:
        return self.record.calls

    def play(self, *rules: Rule, **others: Any) -> None:
        """From now on, do this; what was counted stays."""
        self._director = Director(Script(rules=list(rules), **others))

    def reset(self) -> None:
        """Forget what was counted."""
        self.record = Record()

    async def answer(self, request: Request) -> Response:
        """Any request."""
        if request.path.startswith("/_"):
            return self._told(request)
        for ending, wire in WIRES.items():
            if request.method == "POST" and request.path.endswith(ending):
                return await self._asked(wire, request)
        return json_response({"error": {"message": f"no {request.method} {request.path} here"}}, 404)

    def _told(self, request: Request) -> Response:
        match (request.method, request.path):
            case ("GET", "/_calls"):
                return json_response(self.record.summary(bodies="bodies=1" in request.target))
            case ("POST", "/_script"):
                self._director = Director(read_script(request.json()))
                return json_response({})
            case ("POST", "/_reset"):
                self.reset()
                return json_response({})
        return json_response({"error": "no such thing"}, 404)

    async def _asked(self, wire: Wire, request: Request) -> Response:
        body = request.json()
        asked = wire.asked(body)
        rule = self._director.next(request.body, asked.model)
        record, call = self.record, self._call(wire, request, body, asked, rule)
        record.enter(call, request.came_at)
        request.line.when_gone = lambda: record.leave(call)
        performance = Performance(wire, asked, rule, call, self.record, self.script)
        try:
            response = await performance.response()
        except BaseException:
            record.leave(call)
            raise
        call.status = response.status
        if response.chunks is None:
            record.leave(call)
        return response

    def _call(self, wire: Wire, request: Request, body: Any, asked: Asked, rule: Rule) -> Call:
        number = len(self.record.calls) + 1
        key = request.headers.get(wire.key_header)
        return Call(
            number=number,
            wire=wire.name,
            request_id=f"req_{number:06d}",
            model=asked.model,
            key=key.removeprefix("Bearer ") if key else None,
            idempotency_key=request.headers.get("idempotency-key"),
            user=asked.person,
            streamed=asked.streamed,
            headers=request.headers,
            body=body,
            connection=request.line.number,
            fault=rule.fault,
        )


class Performance:
    """One request, played."""

    def __init__(self, wire: Wire, asked: Asked, rule: Rule, call: Call, record: Record, script: Script) -> None:
        self._wire = wire
        self._asked = asked
        self._rule = rule
        self._call = call
        self._record = record
        self._script = script
        self._headers = {wire.request_id_header: call.request_id}

    async def response(self) -> Response:
        """What to answer, after as long as a model would take."""
        rule, fault = self._rule, self._rule.fault
        latency = self._script.latency_seconds if rule.latency_seconds is None else rule.latency_seconds
        await asyncio.sleep(latency)
        if rule.raw is not None:
            return Response(rule.status, self._headers | rule.headers, rule.raw.encode())
        if fault is Fault.SILENT:
            await asyncio.Event().wait()
        if fault is Fault.DISCONNECT:
            raise Cut
        if fault in ERRORS or (fault is Fault.STREAM_ERROR and not self._asked.streamed):
            return self._error(fault)
        return await self._reply(fault)

    def _error(self, fault: Fault) -> Response:
        trouble = self._wire.error(fault)
        asks = {"retry-after": self._rule.retry_after} if self._rule.retry_after is not None else {}
        return json_response(trouble.body, trouble.status, self._headers | asks)

    async def _reply(self, fault: Fault | None) -> Response:
        written = self._written(fault)
        self._call.booked = written.tokens
        if self._asked.streamed:
            headers = {**EVENT_STREAM, **self._headers}
            return Response(200, headers, chunks=self._stream(written))
        if fault in (Fault.SLOW_FIRST, Fault.SLOW_STREAM):
            await asyncio.sleep(self._script.slow_seconds)
        return self._in_one_piece(written, fault)

    def _in_one_piece(self, written: Written, fault: Fault | None) -> Response:
        body = msgspec.json.encode(self._wire.whole(written, self._call.request_id))
        headers = {"content-type": "application/json"} | self._headers
        if fault is Fault.CUT:
            return Response(200, headers, chunks=self._cut_body(body))
        if fault is Fault.BAD_JSON:
            return Response(200, headers, body[: len(body) // 2])
        self._call.reported = self._call.whole = True
        return Response(200, headers, body)

    async def _cut_body(self, body: bytes) -> AsyncIterator[bytes]:
        try:
            yield body[: len(body) // 2]
            raise Cut
        finally:
            self._record.leave(self._call)

    def _written(self, fault: Fault | None) -> Written:
        text = self._text(fault)
        if fault is Fault.TRUNCATED:
            text = text[: len(text) // 2]
        tokens = self._record.tokens(self._call, self._asked.system, self._asked.rest, text)
        finish = FINISHES.get(fault, "stop") if fault else "stop"
        return Written(text, tokens, self._asked.model, finish)

    def _text(self, fault: Fault | None) -> str:
        if self._rule.text is not None:
            return self._rule.text
        if fault is Fault.OFF_SCHEMA:
            return off_schema()
        if fault is Fault.REFUSAL:
            return REFUSAL
        write = obedient if self._script.mode == "obey" else compliant
        return write(self._asked.schema, self._asked.user)

    async def _stream(self, written: Written) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._events(written):
                yield chunk
            self._call.whole = self._rule.fault is not Fault.CLEAN_CUT
        finally:
            self._record.leave(self._call)

    async def _events(self, written: Written) -> AsyncIterator[bytes]:
        wire, number, fault = self._wire, self._call.request_id, self._rule.fault
        for begun in wire.begin(written, number):
            yield begun
        if fault is Fault.SLOW_FIRST:
            await asyncio.sleep(self._script.slow_seconds)
        pieces = in_pieces(written.text, self._script.piece_characters)
        for count, piece in enumerate(pieces):
            if count >= len(pieces) // 2 and fault in (Fault.CUT, Fault.STREAM_ERROR, Fault.BAD_JSON, Fault.CLEAN_CUT):
                async for broken in self._broken(fault):
                    yield broken
                return
            yield wire.piece(written, piece, number)
            if fault is Fault.SLOW_STREAM:
                await asyncio.sleep(self._script.slow_seconds)
        self._call.reported = self._asked.with_usage
        for ended in wire.end(written, number, usage=self._asked.with_usage):
            yield ended

    async def _broken(self, fault: Fault) -> AsyncIterator[bytes]:
        """What comes in the middle instead of the rest."""
        if fault is Fault.CUT:
            raise Cut
        if fault is Fault.STREAM_ERROR:
            yield self._wire.error_event()
        if fault is Fault.BAD_JSON:
            yield b'event: content_block_delta\ndata: {"choices": [{"del\n\n'


def in_pieces(text: str, characters: int) -> list[str]:
    """A text in pieces of so many characters."""
    return [text[start : start + characters] for start in range(0, len(text), characters)]


@asynccontextmanager
async def standing_in(script: Script | None = None, port: int = 0) -> AsyncIterator[StandIn]:
    """A stand-in on a free port of 127.0.0.1."""
    stand_in = StandIn(script)
    async with listening(stand_in.answer, port) as stand_in.port:
        yield stand_in
