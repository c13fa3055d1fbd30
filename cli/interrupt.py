"""Ctrl-C and its kin: the first one stops in order, the next one hurries."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody asked us to stop. Not an Exception, so that nothing on the way takes it for a failure."""


@contextmanager
def interruptible(hurry: Callable[[], None]) -> Iterator[None]:
    """Inside, the first signal raises `Interrupted` wherever we are; each later one only calls `hurry`.

    So the way out, in which parts are stopped, is never cut short by an exception.
    """
    seen = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        if seen:
            hurry()
        else:
            seen = True
            raise Interrupted

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        for number, disposition in before.items():
            signal.signal(number, disposition)
