"""Reading feedback while it is written: nobody reads anything twice or not at all."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unavailable
from pipeline.model import Piece, Transcript
from pipeline.service.reading_along import NOTHING, ReadingAlong, pieces_after
from tests.contracts.fakes.live import FakeDeltas

TENANT, ID = 1, "s"
QUESTIONS = st.sampled_from(["q", "r"])
TELLING = st.tuples(st.just("tell"), QUESTIONS, st.text(st.sampled_from("aé😀"), min_size=1, max_size=3))
RESTART = st.tuples(st.just("restart"), QUESTIONS, st.just(""))
READING = st.tuples(st.sampled_from(["read", "cut off"]), st.sampled_from(["ada", "bob"]), st.just(""))


class Reader:
    """One who puts the pieces together."""

    def __init__(self) -> None:
        self.known = NOTHING
        self.texts: dict[str, str] = {}

    def take(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self.known = piece.sequence
            before = self.texts.get(piece.question_id, "")
            self.texts[piece.question_id] = "" if piece.text is None else before + piece.text


@given(st.lists(TELLING | RESTART | READING, max_size=30))
async def test_everybody_ends_with_the_text_whenever_they_read_and_are_cut_off(
    acts: list[tuple[str, str, str]],
) -> None:
    """What is put together of the pieces is the text, however often one reads and wherever one is cut off."""
    deltas, told = FakeDeltas(), {"q": "", "r": ""}
    readers = {"ada": Reader(), "bob": Reader(), "late": Reader()}

    async def pieces(reader: Reader) -> list[Piece]:
        return [piece for t in await deltas.transcripts([(TENANT, ID)]) for piece in pieces_after(t, reader.known)]

    for act, name, text in acts:
        match act:
            case "tell":
                await deltas.tell(ID, TENANT, name, text, after=told[name])
                told[name] += text
            case "restart":
                await deltas.restart(ID, TENANT, name)
                told[name] = ""
            case "read":
                readers[name].take(await pieces(readers[name]))
            case "cut off":
                readers[name].take((await pieces(readers[name]))[:1])
    for reader in readers.values():
        reader.take(await pieces(reader))
        assert {name: reader.texts.get(name, "") for name in told} == told
        assert await pieces(reader) == []


class Store:
    """Transcripts that count how often they are read, and may be away."""

    def __init__(self) -> None:
        self.reads = 0
        self.away = False

    async def transcripts(self, named: Iterable[tuple[int, str]]) -> list[Transcript]:
        self.reads += 1
        if self.away:
            raise Unavailable("away")
        return [Transcript(submission_id, tenant_id, 5, 5, ()) for tenant_id, submission_id in named]


async def test_nothing_is_told_while_redis_is_away_and_it_is_left_alone_for_a_moment() -> None:
    """But for the last chance to tell something."""
    store, now = Store(), 0.0
    along = ReadingAlong(store, clock=lambda: now)
    store.away = True
    assert await along.after(TENANT, ID, NOTHING) == await along.after(TENANT, ID, NOTHING) == []
    assert store.reads == 1
    await along.after(TENANT, ID, NOTHING, last=True)
    assert store.reads == 2
    now = 3.0
    await along.after(TENANT, ID, NOTHING)
    assert store.reads == 3
