"""Calls to the HTTP API, whose refusals become one line each."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from cli.target import Target
from pipeline.errors import GradelineError

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CONNECT_SECONDS: Final = 5.0
REPLY_SECONDS: Final = 60.0
NDJSON: Final = "application/x-ndjson"
MOST_PROBLEMS: Final = 5
LATER: Final = frozenset({429, 503})
"""Statuses that ask to come back later."""


class Refused(GradelineError):
    """The server refused a call; the text is its reason in one line.

    `retry_after_seconds` is set where it asks to come back later; `detail` and `errors` are the problem document's.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        retry_after_seconds: float | None = None,
        detail: str = "",
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.detail = detail
        self.errors = errors


class Unreachable(GradelineError):
    """The server cannot be reached, or the connection broke; the text names the address."""


class Reply(NamedTuple):
    """An answer that is no refusal."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises `Unreachable` for one that is not, which some proxy must have sent."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise Unreachable("the answer is not JSON; is this the address of a Gradeline server?") from None


class Client:
    """One server, one key."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self.url = url

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer; raises `Refused` for a problem document and `Unreachable` where there is no answer."""
        try:
            response = await self._http.request(method, path, content=body, params=params, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(f"cannot reach Gradeline at {self.url}: {reason(error)}") from None
        except httpx.InvalidURL as error:
            raise Unreachable(f"{self.url} is not an address: {error}") from None
        if response.status_code >= httpx.codes.BAD_REQUEST:
            raise refusal(response.status_code, response.headers, response.content)
        return Reply(response.status_code, response.headers, response.content)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON at an address."""
        return (await self.call("GET", path, params=params)).json()

    async def post(self, path: str, value: object) -> Any:
        """The JSON that a POST of JSON is answered with."""
        return await self._sent("POST", path, value)

    async def put(self, path: str, value: object) -> Any:
        """The JSON that a PUT of JSON is answered with."""
        return await self._sent("PUT", path, value)

    async def _sent(self, method: str, path: str, value: object) -> Any:
        body, headers = msgspec.json.encode(value), {"Content-Type": "application/json"}
        return (await self.call(method, path, body=body, headers=headers)).json()


@asynccontextmanager
async def connected(target: Target, *, connections: int = 16) -> AsyncIterator[Client]:
    """A client of this server; opening it calls nothing yet."""
    local = urlsplit(target.url).hostname in LOOPBACK
    async with httpx.AsyncClient(
        base_url=target.url,
        headers={"Authorization": f"Bearer {target.key}"},
        timeout=httpx.Timeout(REPLY_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        trust_env=not local,  # a proxy for the world is none for this machine
    ) as http:
        yield Client(http, target.url)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """A refusal in one line: what it is called, why, and the first fields it points at."""
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        problem = None
    told = problem if isinstance(problem, dict) else {}
    return Refused(
        f"{status}: {sentence(told)}",
        status=status,
        retry_after_seconds=retry_after(status, headers),
        detail=str(told.get("detail") or ""),
        errors=told.get("errors") or (),
    )


def sentence(problem: Mapping[str, Any]) -> str:
    """A problem document in one line."""
    text = str(problem.get("detail") or problem.get("title") or "the server gave no reason")
    fields = [f"{error.get('pointer') or 'body'}: {error.get('detail')}" for error in problem.get("errors") or ()]
    if len(fields) == 1 and text != problem.get("title") and problem["errors"][0].get("detail", "") in text:
        return text  # the detail is the one problem
    more = [f"and {len(fields) - MOST_PROBLEMS} more"] if len(fields) > MOST_PROBLEMS else []
    return "; ".join([text.rstrip("."), *fields[:MOST_PROBLEMS], *more]) if fields else text


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds after which to come back; None where coming back is of no use."""
    if status not in LATER:
        return None
    given = headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 1.0


def reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
