"""Feedback while it is written, for any number of readers: who knows how much is told the rest."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Final

import msgspec
import structlog

from pipeline import telemetry
from pipeline.batching import Batcher
from pipeline.errors import Unavailable
from pipeline.model import Passage, Piece, Transcript
from pipeline.ports.generation import Transcripts

log = structlog.get_logger()

READ_SECONDS: Final = 2.0
REST_SECONDS: Final = 1.0
NOTHING: Final = 0
"""The number of one who has read nothing yet."""
UNSURE: Final = 1
"""The number of one who has read something, and can't say how much: smaller than any that was given out."""


def pieces_after(transcript: Transcript, known: int) -> list[Piece]:
    """What one who has read up to the number `known` is told, one piece for each answer, or two where one is restarted.

    Only the last piece says how far this leads. Whoever was cut off in the middle of them has read some answers
    further than others, which one number can't say, so that reader is unsure and gets all of it anew.
    """
    if known > transcript.sequence:  # a number from before these were lost, by a clock that was ahead
        known = UNSURE
    changed = sorted((p for p in transcript.passages if p.sequence > known), key=attrgetter("sequence"))
    begun_anew = NOTHING < known < transcript.start
    told = [
        Piece(transcript.submission_id, passage.question_id, UNSURE, text)
        for passage in changed
        for text in texts_after(passage, known, taken_back=begun_anew or NOTHING < known < passage.began)
    ]
    return [*told[:-1], *(msgspec.structs.replace(last, sequence=transcript.sequence) for last in told[-1:])]


def texts_after(passage: Passage, known: int, *, taken_back: bool) -> Iterator[str | None]:
    """What is told of one answer: None first where its reader is to forget what was told before."""
    if taken_back:
        yield None
    read = 0 if taken_back else max((end for number, end in passage.marks if number <= known), default=0)
    if rest := passage.text[read:]:
        yield rest.decode()


class ReadingAlong:
    """Reads for whoever wants to at this moment, each submission once for all of its readers."""

    def __init__(self, transcripts: Transcripts, clock: Callable[[], float] = time.monotonic) -> None:
        self._transcripts = transcripts
        self._clock = clock
        self._resting_until = 0.0
        self._reads: Batcher[tuple[int, str], Transcript | None] = Batcher(self._read, most=500, concurrency=2)

    async def after(self, tenant_id: int, submission_id: str, known: int, *, last: bool = False) -> list[Piece]:
        """What comes after `known`; nothing while Redis is away, and it is not asked again for a moment.

        Unless it is the `last` chance: then it is asked all the same.
        """
        if self._clock() < self._resting_until and not last:
            return []
        try:
            async with asyncio.timeout(READ_SECONDS):
                transcript = await self._reads.add((tenant_id, submission_id))
        except (Unavailable, TimeoutError) as error:
            self._resting_until = self._clock() + REST_SECONDS
            log.warning(telemetry.DELTAS_UNREAD, error=str(error))
            return []
        return [] if transcript is None else pieces_after(transcript, known)

    async def _read(self, named: list[tuple[int, str]]) -> Sequence[Transcript | None]:
        found = await self._transcripts.transcripts(dict.fromkeys(named))
        known = {(transcript.tenant_id, transcript.submission_id): transcript for transcript in found}
        return [known.get(name) for name in named]
