"""What clients see while a server is away: nothing is refused without need, nothing hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial

import httpx
import msgspec
import psutil
import psycopg
import pytest

from api.patience import ANSWER_SECONDS
from pipeline.bootstrap import migrate
from pipeline.embedded import EmbeddedPostgres
from pipeline.model import NewSubmission
from pipeline.ports import Acceptance, IntakeStore, Repeated
from pipeline.settings import Settings
from pipeline.store.engine import transaction
from tests.api.live import ROLES, LiveApi, hand_in, live_api
from tests.api.routes import ROUTES, Route, filled

ABSENT = "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"
IMPORT = "/v1/questions/import"
"""The one write that may take longer: it stores a file in large parts."""


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A Postgres that these tests may stop and freeze."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("own"), fsync=False) as server:
        yield server


async def unavailable(live: LiveApi) -> None:
    """A hand-in and a read are answered in time, with 503 and when to come back."""
    async with asyncio.timeout(ANSWER_SECONDS + 1):  # the client's own way there and back comes on top
        answers = await asyncio.gather(live.post("/v1/submissions", hand_in()), live.get(f"/v1/submissions/{ABSENT}"))
    for answer in answers:
        assert_unavailable(answer)


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"


async def back(live: LiveApi) -> None:
    """Hand-ins are accepted again, in some seconds."""
    async with asyncio.timeout(20):
        while (await live.post("/v1/submissions", hand_in())).status_code != 202:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)


async def test_without_postgres_a_hand_in_is_told_to_come_back(
    settings: Settings, own_postgres: EmbeddedPostgres
) -> None:
    """And once Postgres is back, so is the API, with everything it had accepted."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url)
    await migrate(own)
    async with live_api(own) as live:
        accepted = await live.hand_in()
        own_postgres.stop()
        await unavailable(live)
        own_postgres.start()  # in this thread: it ends with the one that starts it
        await back(live)
        assert (await live.get(f"/v1/submissions/{accepted}")).status_code == 200


async def test_a_frozen_postgres_keeps_nobody_waiting(settings: Settings, own_postgres: EmbeddedPostgres) -> None:
    """It neither answers nor refuses; the API answers in its place, also when it has to look up the key."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url, key_cache_seconds=0.001)
    await migrate(own)
    async with live_api(own) as live:
        await live.hand_in()
        with frozen(own_postgres):
            await unavailable(live)
        await back(live)


async def test_every_write_is_refused_in_time_while_postgres_is_frozen(frozen_api: LiveApi) -> None:
    """The keys are known already, so what answers 503 is the write itself."""
    writes = [route for route in ROUTES if route.method != "GET" and route.path != IMPORT]
    async with asyncio.timeout(ANSWER_SECONDS + 1):
        answers = await asyncio.gather(*[send(frozen_api, route) for route in writes])
    for answer in answers:
        assert_unavailable(answer)


async def test_reading_one_thing_is_refused_in_time_while_postgres_is_frozen(frozen_api: LiveApi) -> None:
    """Streams, too; and who balances the load is told to send requests elsewhere."""
    reads = [route for route in ROUTES if route.method == "GET" and "{" in route.path]
    async with asyncio.timeout(ANSWER_SECONDS + 1):
        *answers, ready = await asyncio.gather(
            *[send(frozen_api, route) for route in reads], frozen_api.get("/health/ready")
        )
    for answer in answers:
        assert_unavailable(answer)
    assert ready.status_code == 503


async def send(live: LiveApi, route: Route) -> httpx.Response:
    """Call a route in a role that may, about things that nobody has."""
    names = ("learner_id", "submission_id", "key_id", "webhook_id", "delivery_id", "generation_id")
    ids = dict.fromkeys(names, ABSENT) | {"stage": "score", "question_id": "q-1", "job": "expiry"}
    role = next(role for role in ROLES if role in route.roles)
    return await live.http.request(
        route.method,
        filled(route.path, ids),
        content=None if route.body is None else msgspec.json.encode(filled(route.body, ids)),
        headers=live.credential(role) | {"Content-Type": route.content_type},
    )


@pytest.fixture
async def frozen_api(settings: Settings, own_postgres: EmbeddedPostgres) -> AsyncIterator[LiveApi]:
    """An API that knows its keys and questions and has sessions open, on a Postgres that is frozen."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url, key_cache_seconds=60.0, api_pool_size=25)
    await migrate(own)
    async with live_api(own) as live:
        await live.hand_in()
        for role in ROLES:
            await live.parts.access.authenticate(live.credential(role)["Authorization"])
        async with AsyncExitStack() as together:
            for _ in range(own.api_pool_size):
                await together.enter_async_context(transaction(live.parts.servers.engine))
        with frozen(own_postgres):
            yield live


async def test_a_batch_is_refused_in_time_while_postgres_is_frozen(frozen_api: LiveApi) -> None:
    """However many commits it would take."""
    async with asyncio.timeout(ANSWER_SECONDS + 1):
        answer = await frozen_api.post("/v1/submissions/batch", [hand_in(f"u-{i}") for i in range(1000)])
    assert_unavailable(answer)


async def test_a_batch_is_accepted_as_far_as_postgres_came(settings: Settings, own_postgres: EmbeddedPostgres) -> None:
    """Postgres freezes between two commits: what is committed is a 202, and nothing else is."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url)
    await migrate(own)
    async with live_api(own) as live:
        await live.hand_in()
        given = [hand_in(f"u-{i}", idempotency_key=f"k-{i}") for i in range(1000)]
        with ExitStack() as freezing:
            freeze = partial(freezing.enter_context, frozen(own_postgres))
            live.parts.intake._store = FreezesAfterOne(live.parts.intake._store, freeze)  # noqa: SLF001 - to stop there
            items = (await live.post("/v1/submissions/batch", given)).json()["items"]
        assert {item["status"] for item in items} == {202, 503}
        accepted = {item["submission"]["id"] for item in items if item["status"] == 202}
        await back(live)
        again = (await live.post("/v1/submissions/batch", given)).json()["items"]
        assert {item["status"] for item in again} == {202}
        assert accepted <= {item["submission"]["id"] for item in again if item.get("replayed")}


class FreezesAfterOne:
    """An intake store whose Postgres freezes after the first batch that it accepts."""

    def __init__(self, store: IntakeStore, freeze: Callable[[], None]) -> None:
        self._store = store
        self._freeze = [freeze]
        self._in_turn = asyncio.Lock()  # two commits may be under way, and both might be through before it freezes

    async def find(self, submission: NewSubmission) -> Repeated | None:
        return await self._store.find(submission)

    async def accept(self, batch: Sequence[NewSubmission]) -> list[Acceptance]:
        async with self._in_turn:
            accepted = await self._store.accept(batch)
            while self._freeze:
                self._freeze.pop()()
            return accepted


async def test_a_commit_whose_outcome_is_unknown_is_found_again_by_its_key(
    settings: Settings, own_postgres: EmbeddedPostgres
) -> None:
    """Refused in time and stored all the same when Postgres goes on: the repeated request makes no second one."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url)
    await migrate(own)
    async with live_api(own) as live:
        before = (await live.counts())["submissions"]
        await live.hand_in()
        with frozen(own_postgres):
            assert_unavailable(await live.post("/v1/submissions", hand_in("u-2"), Idempotency_Key="once"))
        async with asyncio.timeout(20):
            while (await live.counts())["submissions"] < before + 2:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
        again = await live.post("/v1/submissions", hand_in("u-2"), Idempotency_Key="once")
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        assert (await live.counts())["submissions"] == before + 2


async def test_a_session_that_hangs_does_not_hold_up_the_next_hand_in(
    settings: Settings, own_postgres: EmbeddedPostgres
) -> None:
    """Only the sessions that are open are frozen; Postgres takes new ones."""
    own = msgspec.structs.replace(settings, database_url=own_postgres.url)
    await migrate(own)
    async with live_api(own) as live:
        await live.hand_in()
        with suspended([psutil.Process(pid) for pid in sessions_of(own_postgres)]):
            await back(live)


def sessions_of(postgres: EmbeddedPostgres) -> list[int]:
    """The processes that serve our connections."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'gradeline'").fetchall()
    return [int(pid) for (pid,) in rows]


@contextmanager
def frozen(postgres: EmbeddedPostgres) -> Iterator[None]:
    """Postgres with all its processes as if stopped in the middle of a breath."""
    postmaster = psutil.Process(postgres.pid)
    with suspended([postmaster, *postmaster.children(recursive=True)]):
        yield


@contextmanager
def suspended(processes: Sequence[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def test_without_redis_everything_is_still_accepted_and_shown(settings: Settings) -> None:
    """Hand-ins, reads, long polls and cancels; Postgres knows it all."""
    away = msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:1/0")
    async with live_api(away) as live:
        path = f"/v1/submissions/{await live.hand_in()}"
        first = await live.get(path)
        assert (first.status_code, first.json()["status"]) == (200, "pending")
        polling = asyncio.create_task(live.get(f"{path}?wait=20", first.headers["etag"]))
        while not live.parts.watch.watchers:  # noqa: ASYNC110 - until the poll has arrived
            await asyncio.sleep(0.01)
        assert (await live.post(f"{path}/cancel")).status_code == 200
        async with asyncio.timeout(10):
            assert (await polling).json()["status"] == "cancelled"
