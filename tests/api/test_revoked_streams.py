"""Open event streams, whose right to be open ends."""

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text

from pipeline.service.access import Role
from pipeline.store.engine import transaction
from tests.api.event_stream import EventStream, events
from tests.api.live import LiveApi

Credential = dict[str, str]


async def new_key(live: LiveApi) -> tuple[str, Credential]:
    """A submitter's key beside those there are: its id, and its header."""
    made = (await live.post("/v1/keys", {"name": "school server", "role": "submitter"}, Role.OPERATOR)).json()
    return made["id"], {"Authorization": f"Bearer {made['secret']}"}


async def token_of(live: LiveApi, credential: Credential, learner_id: str) -> Credential:
    """A learner token that this key made."""
    principal = await live.parts.access.authenticate(credential["Authorization"])
    token = (await live.parts.access.mint_token(principal, learner_id, 600)).token
    return {"Authorization": f"Bearer {token}"}


async def opened(stack: AsyncExitStack, live: LiveApi, submission_id: str, credential: Credential) -> EventStream:
    """A stream that has told its first event."""
    stream = await stack.enter_async_context(events(live, submission_id, credential=credential))
    first = await stream.next()
    assert first is not None
    assert first.name == "status"
    return stream


async def test_a_stream_ends_soon_after_its_right_to_be_open(live: LiveApi) -> None:
    """Without an event, whoever holds the key: a backend, or a browser by a token that the key made.

    A key may be revoked by another process, or be gone with its tenant; a learner may be erased.
    """
    (revoked, of_revoked), (gone, of_gone), (_, of_good) = [await new_key(live) for _ in range(3)]
    mine, erased = await live.hand_in("ada"), await live.hand_in("eve")
    async with AsyncExitStack() as stack:
        ending = {
            "key": await opened(stack, live, mine, of_revoked),
            "token of the key": await opened(stack, live, mine, await token_of(live, of_revoked, "ada")),
            "key that is gone": await opened(stack, live, mine, of_gone),
            "learner": await opened(stack, live, erased, await token_of(live, of_good, "eve")),
            "anybody, of an erased learner": await opened(stack, live, erased, of_good),
        }
        lasting = [
            await opened(stack, live, mine, of_good),
            await opened(stack, live, mine, await token_of(live, of_good, "ada")),
        ]
        async with transaction(live.parts.servers.engine) as connection:
            await connection.execute(text(f"UPDATE api_keys SET revoked_at = now() WHERE id = '{revoked}'"))
            await connection.execute(text(f"DELETE FROM api_keys WHERE id = '{gone}'"))
        assert (await live.http.delete("/v1/learners/eve", headers=live.credential(Role.TEACHER))).is_success
        told = await asyncio.gather(*(stream.rest() for stream in ending.values()))
        assert dict(zip(ending, told, strict=True)) == {whose: [] for whose in ending}
        await live.post(f"/v1/submissions/{mine}/cancel")
        ends = [[event.name for event in await stream.rest()] for stream in lasting]
    assert ends == [["cancelled"], ["cancelled"]]
