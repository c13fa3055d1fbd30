"""Telling of one answer while a model writes it."""

import asyncio
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.assignment import Telling
from pipeline.generation.telling import AnswerTold, Sections, Teller
from pipeline.model import Outcome
from pipeline.prompting.compose import compose_text, text_so_far
from pipeline.prompting.facts import AnswerFacts
from pipeline.prompting.reply import Accepted, accept
from pipeline.prompting.section import Section
from tests.contracts.fakes.live import FakeDeltas

REPLY = json.dumps({"right": "Good <1>.", "misconception": "But no.", "next_step": "Try.", "summary": "So so."})
STORED = "Good Ada. But no. Try."


def compose(sections: Sections) -> str | None:
    """The text of these sections in their order; one that speaks of grades passes no check."""
    shown = [sections[name] for name in ("right", "misconception", "next_step") if name in sections]
    return None if any("grade" in text for text in shown) else " ".join(shown)


class Desk:
    """A teller, and what it told."""

    def __init__(self, deltas: FakeDeltas | None = None, *, together_seconds: float = 0.0) -> None:
        self.deltas = deltas or FakeDeltas()
        self.teller = Teller(
            self.deltas,
            AnswerTold("s", 1, "q"),
            compose=compose,
            restore=lambda text: text.replace("<1>", "Ada"),
            together_seconds=together_seconds,
        )

    async def write(self, reply: str) -> None:
        telling: Telling = self.teller
        for character in reply:
            await telling.piece(character)

    @property
    def told(self) -> list[str | None]:
        return [text for _, text in self.deltas.events]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_each_section_is_told_when_it_is_complete(desk: Desk) -> None:
    """With what was taken out for privacy put back, and nothing at the end that was told before."""
    await desk.write(REPLY)
    assert desk.told == ["Good Ada.", " But no.", " Try."]
    await desk.teller.finish(STORED)
    assert desk.told == ["Good Ada.", " But no.", " Try."]


async def test_a_section_that_passes_no_check_silences_the_rest(desk: Desk) -> None:
    """Until the whole is judged: then what is stored is told."""
    await desk.write(REPLY.replace("But no.", "Full grade!"))
    assert desk.told == ["Good Ada."]
    await desk.teller.finish("Good Ada. Try.")
    assert desk.told == ["Good Ada.", " Try."]


async def test_a_text_that_is_stored_otherwise_takes_back_what_was_told(desk: Desk) -> None:
    await desk.write(REPLY)
    await desk.teller.finish("Well.")
    assert desk.told[-2:] == [None, "Well."]


async def test_a_second_provider_before_the_first_text_restarts_nothing(desk: Desk) -> None:
    await desk.write('{"right": "Goo')
    await desk.teller.anew()
    await desk.write(REPLY)
    await desk.teller.finish(STORED)
    assert desk.told == ["Good Ada.", " But no.", " Try."]


async def test_a_second_provider_after_the_first_text_restarts(desk: Desk) -> None:
    await desk.write(REPLY[:25])
    await desk.teller.anew()
    await desk.write(REPLY)
    await desk.teller.finish(STORED)
    assert desk.told == ["Good Ada.", None, "Good Ada.", " But no.", " Try."]


class SlowDeltas(FakeDeltas):
    """Deltas that say nothing of a beginning until they may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_say = asyncio.Event()

    async def tell(
        self, submission_id: str, tenant_id: int, question_id: str, text: str, *, after: str = "", whole: bool = False
    ) -> None:
        if not whole:
            await self.may_say.wait()
        await super().tell(submission_id, tenant_id, question_id, text, after=after, whole=whole)


async def test_a_reply_is_read_however_slowly_it_is_told() -> None:
    """And its end waits for nothing that it holds as well."""
    desk = Desk(SlowDeltas())
    async with asyncio.timeout(10):
        await desk.write(REPLY)
        await desk.teller.finish(STORED)
    assert desk.told == [STORED]


async def test_the_end_of_a_text_waits_for_no_more_to_be_told_together() -> None:
    desk = Desk(together_seconds=3_600.0)
    await desk.write(REPLY)
    assert desk.told == []
    await desk.teller.finish(STORED)
    assert desk.told == [STORED]


async def test_what_comes_close_together_is_told_when_no_more_is_awaited() -> None:
    desk = Desk(together_seconds=0.001)
    await desk.write(REPLY)
    async with asyncio.timeout(10):
        while "".join(text or "" for text in desk.told) != STORED:  # noqa: ASYNC110 - it comes by itself
            await asyncio.sleep(0.001)


async def test_what_is_being_told_is_taken_back_only_after_it_was() -> None:
    slow = SlowDeltas()
    desk = Desk(slow)
    async with asyncio.timeout(10):
        await desk.write(REPLY)
        ending = asyncio.create_task(desk.teller.take_back())
        await asyncio.sleep(0)
        slow.may_say.set()
        await ending
    assert desk.told == ["Good Ada.", " But no. Try.", None]


async def test_a_text_that_nobody_wrote_just_now_is_told_at_once(desk: Desk) -> None:
    """It came from the journal."""
    await desk.teller.finish(STORED)
    assert desk.told == [STORED]


async def test_what_a_dead_worker_told_is_taken_back_too_where_nothing_was_written(desk: Desk) -> None:
    await desk.write(REPLY[:25])
    successor = Teller(desk.deltas, AnswerTold("s", 1, "q"), compose=compose)
    await successor.take_back()
    assert desk.told == ["Good Ada.", None]


async def test_a_reply_that_is_no_json_tells_nothing_before_the_end(desk: Desk) -> None:
    await desk.write("I am sorry, Ada, I can't do that.")
    assert desk.told == []


async def test_a_surprise_in_composing_is_not_the_generations_trouble() -> None:
    def broken(_: Sections) -> str:
        raise ZeroDivisionError

    deltas = FakeDeltas()
    teller = Teller(deltas, AnswerTold("s", 1, "q"), compose=broken)
    await teller.piece(REPLY)
    assert deltas.events == []
    await teller.finish(STORED)
    assert deltas.events == [("q", STORED)]


FACTS = AnswerFacts(
    type="short_text",
    question="What does range(3) start with?",
    options="",
    solution="0",
    explanation="",
    response="it starts with one",
    outcome=Outcome.INCORRECT,
    fraction=0.0,
    finding="",
    language="en",
)
SENTENCES = st.sampled_from(
    [
        "",
        "You read the loop carefully.",
        "starts with one",
        "was never said",
        "Perfect, full marks!",
        "See https://evil.example.",
        "Counting begins at nought here.",
        "Try range(1).\nThen range(2).",
    ]
)


@given(st.fixed_dictionaries({section.value: SENTENCES for section in Section}), st.randoms(use_true_random=False))
async def test_with_the_real_checks_what_is_told_is_what_is_stored(reply: dict[str, str], random: Random) -> None:
    """Whatever the model says, in whatever order: nothing is told that will not be stored, and all of it at the end."""
    names = list(reply)
    random.shuffle(names)
    text = json.dumps({name: reply[name] for name in names})
    deltas = FakeDeltas()
    teller = Teller(deltas, AnswerTold("s", 1, "q"), compose=lambda found: text_so_far("Not right.", found, FACTS))
    for start in range(0, len(text), 7):
        await teller.piece(text[start : start + 7])
    accepted = accept(text, FACTS)
    if isinstance(accepted, Accepted):
        stored = compose_text("Not right.", accepted, FACTS.language)
        assert stored.startswith("".join(piece for _, piece in deltas.events if piece is not None))
        await teller.finish(stored)
        assert "".join(str(piece) for _, piece in deltas.events) == stored
