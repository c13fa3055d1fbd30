"""Telling a learner of one answer's feedback while a model writes it, as far as it has been checked."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from pipeline import telemetry
from pipeline.ports.generation import Deltas
from pipeline.prompting.partial import PartialReply

log = structlog.get_logger()

Sections = Mapping[str, str]
"""The complete fields of a reply under way, in the order they came."""

Compose = Callable[[Sections], str | None]
"""What may be shown of these sections: the beginning of the text to be stored, after all checks that it will pass.

`pipeline.prompting.compose.text_so_far` is one. None where they don't pass: then nothing more is shown until the
reply is judged as a whole.
"""

Restore = Callable[[str], str]
"""Puts back what was taken out of the prompt for privacy."""


class AnswerTold(msgspec.Struct, frozen=True):
    """Whose feedback is told: one answer of one submission."""

    submission_id: str
    tenant_id: int
    question_id: str


class Teller:
    """Tells of one answer: `pipeline.generation.assignment.Telling`, then `finish` with what will be stored.

    Or `take_back`, where no model wrote it.

    Only whole sections are told, for a check needs one. What went wrong here is never the generation's trouble, and
    nobody waits here for what is told on the way: the next thing told holds all of it.
    """

    def __init__(
        self,
        deltas: Deltas,
        answer: AnswerTold,
        *,
        compose: Compose,
        restore: Restore = str,
        together_seconds: float = 0.0,
    ) -> None:
        """What comes within `together_seconds` is told together; the end of a text is told at once."""
        self._deltas = deltas
        self._together_seconds = together_seconds
        self._answer = answer
        self._compose = compose
        self._restore = restore
        self._told = ""
        self._saying: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self._reply = PartialReply()
        self._sections: dict[str, str] = {}
        self._silent = False

    async def piece(self, text: str) -> None:
        """Take more of the reply as the model writes it, and tell the sections that this completes."""
        completed = [] if self._silent else self._reply.feed(text)
        if not completed:
            return
        self._sections |= dict(completed)
        shown = self._shown()
        if shown is None or not shown.startswith(self._told):
            self._silent = True
        elif shown != self._told:
            self._go_on(shown)
            await asyncio.sleep(0)  # what can be said at once is

    async def anew(self) -> None:
        """Another request begins; what was told of an earlier reply, if anything, is taken back."""
        self._begin()
        if self._told:
            await self._take_back()

    async def finish(self, text: str) -> None:
        """Tell the rest of the text that will be stored; where something else was told, take that back first."""
        self._silent = True
        if not text.startswith(self._told):
            await self._take_back()
        elif self._saying is not None:
            self._saying.cancel()  # it would say a part of what is said now
        after, self._told = self._told, text
        await self._say(after, text, whole=True)

    async def take_back(self) -> None:
        """Nothing was written after all: take back whatever was told, by a worker that died before this one too."""
        self._silent = True
        await self._take_back()

    async def _take_back(self) -> None:
        if self._saying is not None:
            await asyncio.wait([self._saying])  # said later, it would stand again
        self._told = ""
        answer = self._answer
        await self._deltas.restart(answer.submission_id, answer.tenant_id, answer.question_id)

    def _go_on(self, text: str) -> None:
        before, self._told = self._told, text
        if self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(self._say_on(before))

    async def _say_on(self, said: str) -> None:
        """Say what there is to say, until nothing new came while it was said."""
        try:
            while said != self._told:
                if self._together_seconds:
                    await asyncio.sleep(self._together_seconds)
                after, said = said, self._told
                await self._say(after, said)
        except Exception as surprise:  # noqa: BLE001 - what is stored is told all the same
            log.warning(telemetry.PREVIEW_FAILED, error=type(surprise).__name__)

    async def _say(self, after: str, text: str, *, whole: bool = False) -> None:
        answer = self._answer
        more = text[len(after) :]
        await self._deltas.tell(
            answer.submission_id, answer.tenant_id, answer.question_id, more, after=after, whole=whole
        )

    def _shown(self) -> str | None:
        try:
            text = self._compose(self._sections)
            return None if text is None else self._restore(text)
        except Exception as surprise:  # noqa: BLE001 - the whole reply is judged all the same; this is a preview
            log.warning(telemetry.PREVIEW_FAILED, error=type(surprise).__name__)
            return None
