"""Promises of single faults beyond what always holds."""

import signal
from collections.abc import Iterable
from typing import Final

from tests.chaos.fault import Trial, Violation
from tests.chaos.load import OK, UNAVAILABLE

ANSWER_SECONDS: Final = 2.0
IN_ORDER: Final = (0, -signal.SIGTERM)
"""By itself, or by the signal where it was told to stop while it still started."""
MARGIN_SECONDS: Final = 0.5
"""What the driver itself may take to look at an answer while two cores do everything."""


async def spared(trial: Trial) -> Iterable[Violation]:
    """No process of ours had to be started again."""
    return [Violation("broken", f"{one.name} ended with {one.code}") for one in trial.endings]


async def never_refused(trial: Trial) -> Iterable[Violation]:
    """Every hand-in was accepted at its first try."""
    return [
        Violation("broken", f"a hand-in was answered with {one.status or 'nothing'} after {one.seconds:.1f} s")
        for one in trial.load.refused
    ]


async def told_in_time(trial: Trial) -> Iterable[Violation]:
    """Whoever asked where a submission stands was told, within two seconds."""
    return [
        Violation("broken", f"a status was answered with {one.status or 'nothing'} after {one.seconds:.1f} s")
        for one in trial.load.reads
        if one.status != OK or one.seconds > ANSWER_SECONDS + MARGIN_SECONDS
    ]


async def refused_in_time(trial: Trial) -> Iterable[Violation]:
    """Whatever was refused was refused with a 503 that says when to come back, within two seconds."""
    return [
        Violation("broken", f"a hand-in was answered with {one.status or 'nothing'} after {one.seconds:.1f} s")
        for one in trial.load.refused
        if one.status != UNAVAILABLE or one.retry_after is None or one.seconds > ANSWER_SECONDS + MARGIN_SECONDS
    ]


async def ended_in_order(trial: Trial) -> Iterable[Violation]:
    """Whatever ended, ended by itself and in order."""
    return [
        Violation("broken", f"{one.name} ended with {one.code}") for one in trial.endings if one.code not in IN_ORDER
    ]
