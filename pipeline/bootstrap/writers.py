"""What writes with language models, as the rest of a worker knows it."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from pipeline.batching import Spacing
from pipeline.generation.batching import Batching
from pipeline.ports import FeedbackProvider
from pipeline.prompting.feedback import FeedbackRequest
from pipeline.service.generating import Compose

TOGETHER_SECONDS: Final = 0.05
"""What models are asked about, and what they reply, is taken further together where much comes closer than this."""
AHEAD: Final = 4
"""So many go on at once after a rest: up to twenty a second wait for nobody, however unevenly they come."""


def together() -> Spacing:
    """Keeps one step of what models are asked about apart, where much is under way."""
    return Spacing(TOGETHER_SECONDS, ahead=AHEAD)


class Writers(msgspec.Struct, frozen=True):
    """The author of feedback, how many submissions it is given at once, and what ends it with the process.

    `ready` says whether any model may be asked at this moment. `compose` gets texts for teachers written. `waits`
    says for how long a submission is to wait for half the price, `batching`
    what may wait for half the price; None where no model has batches.
    """

    author: FeedbackProvider
    room: int
    close: Callable[[], Awaitable[None]]
    ready: Callable[[], Awaitable[bool]]
    compose: Compose
    waits: Callable[[FeedbackRequest], Awaitable[float]]
    batching: Batching | None = None
