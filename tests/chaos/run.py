"""One trial: load, a fault in the middle of it, recovery, and then whether everything still adds up."""

import time
import traceback
from collections.abc import Sequence
from typing import Final

import msgspec

from tests.chaos import history
from tests.chaos.fault import Fault, Moment, Skipped, Trial, Violation
from tests.chaos.invariants import INVARIANTS
from tests.chaos.load import UNAVAILABLE, Load, School
from tests.chaos.system import Stuck, System

STEADY: Final = 60
"""Completed submissions before a fault begins: by then everything has been used once."""
AFTERMATH: Final = 60
"""Hand-ins accepted after the recovery: by then late consequences have had their chance."""
FINAL_SECONDS: Final = 120.0

COMPLETED: Final = "SELECT count(*) FROM submissions WHERE tenant_id = :tenant_id AND status = 'completed'"
OPEN: Final = """
SELECT count(*) FROM submissions
WHERE tenant_id = :tenant_id AND status NOT IN ('completed', 'failed', 'cancelled')
  AND created_at <= to_timestamp(:moment)
"""
UNDELIVERED: Final = "SELECT count(*) FROM deliveries WHERE tenant_id = :tenant_id AND state IN ('ready', 'running')"


class Outcome(msgspec.Struct, frozen=True):
    """What came of a trial. Times in seconds, counted from the moment at which the fault was cleared."""

    name: str
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    violations: tuple[str, ...] = ()
    resumed: float | None = None
    """Until the first submission became final after it."""
    drained: float | None = None
    """Until everything that had been accepted before it was final."""
    repeated: float = 0.0
    """Share of hand-ins that a client had to send more than once."""
    given_up: int = 0
    slowest_503: float | None = None
    restarts: int = 0
    skipped: str | None = None

    @property
    def kept(self) -> bool:
        return not self.violations


async def attempt(system: System, fault: Fault) -> Outcome:
    """Try a fault. What cannot be brought about here is skipped, and says why; what hangs is a broken promise."""
    try:
        async with fault.scene(system):
            return await _attempt(system, fault)
    except Skipped as reason:
        return Outcome(fault.name, skipped=str(reason))
    except Stuck as stuck:
        return Outcome(fault.name, violations=(str(stuck),))
    except Exception:  # noqa: BLE001 - told as what it is, and the other faults are still to be tried
        return Outcome(fault.name, violations=(f"the trial itself failed:\n{traceback.format_exc()}",))
    finally:
        await system.restore()


async def _attempt(system: System, fault: Fault) -> Outcome:
    name = f"{fault.name}-{time.time_ns()}"
    school = await system.new_school(name)
    async with system.loaded(school, name) as load:
        await system.until(lambda: completed(system, school, STEADY), "the load is steady")
        began, endings = time.time(), len(system.keeper.endings)
        cleared = await fault.inject(system)
        hung = await recover(system, load, cleared)
    hung = hung or await settle(system, school)
    trial = Trial(system, school, load, began, cleared, tuple(system.keeper.endings[endings:]))
    return await judge(fault, trial, hung)


async def recover(system: System, load: Load, cleared: Moment) -> str | None:
    """Wait until work goes on and the backlog is drained; what is still waited for after the deadline."""
    school = load.school
    try:
        await system.until(lambda: resumed(system, school, cleared), "work goes on after the fault")
        await system.until(lambda: drained(system, school, cleared), "what was accepted before is final")
        enough = len(load.accepted) + AFTERMATH
        await system.until(lambda: accepted(load, enough), "more is accepted after it")
    except Stuck as stuck:
        return str(stuck)
    return None


async def settle(system: System, school: School) -> str | None:
    """Wait until everything is final and told; what is still waited for after the deadline."""
    try:
        await system.until(lambda: drained(system, school, time.time()), "all is final", FINAL_SECONDS)
        await system.until(lambda: delivered(system, school), "all webhooks are delivered", FINAL_SECONDS)
    except Stuck as stuck:
        return str(stuck)
    return None


async def accepted(load: Load, at_least: int) -> bool:
    return len(load.accepted) >= at_least


async def completed(system: System, school: School, at_least: int) -> bool:
    return await system.count(COMPLETED, tenant_id=school.tenant_id) >= at_least


async def resumed(system: System, school: School, moment: Moment) -> bool:
    engine = system.parts.servers.engine
    return await history.first_final_after(engine, school.tenant_id, moment) is not None


async def drained(system: System, school: School, moment: Moment) -> bool:
    return await system.count(OPEN, tenant_id=school.tenant_id, moment=moment) == 0


async def delivered(system: System, school: School) -> bool:
    return await system.count(UNDELIVERED, tenant_id=school.tenant_id) == 0


async def judge(fault: Fault, trial: Trial, hung: str | None) -> Outcome:
    """Check everything that was promised, and put it into figures; `hung` is what never came."""
    engine, tenant_id = trial.system.parts.servers.engine, trial.school.tenant_id
    first = await history.first_final_after(engine, tenant_id, trial.cleared)
    last = await history.last_final_of_earlier(engine, tenant_id, trial.cleared)
    after = seconds_since(trial.cleared, first)
    drain = None if hung else seconds_since(trial.cleared, last)
    violations = [one for check in (*INVARIANTS, *fault.checks) for one in await check(trial)]
    late = [
        *too_late("work went on", after, fault.resumes_within),
        *too_late("the backlog was drained", drain, fault.drains_within),
    ]
    return Outcome(
        name=fault.name,
        accepted=len(trial.load.accepted),
        lost=counted(violations, "lost"),
        doubled=counted(violations, "doubled"),
        violations=(
            *([hung] if hung else []),
            *late,
            *[f"{one.kind}: {one.text}" for one in violations],
        ),
        resumed=after,
        drained=drain,
        repeated=len(trial.load.repeated) / max(1, len(trial.load.given)),
        given_up=len(trial.load.given_up),
        slowest_503=slowest_503(trial.load),
        restarts=len(trial.endings),
    )


def seconds_since(moment: Moment, then: Moment | None) -> float | None:
    """Seconds between the two, 0 where it happened before; None where it never happened."""
    return None if then is None else max(0.0, then - moment)


def too_late(what: str, took: float | None, allowed: float | None) -> list[str]:
    if allowed is None or (took is not None and took <= allowed):
        return []
    return [f"late: {what} after {took if took is None else round(took, 1)} s, and {allowed:.0f} s were promised"]


def counted(violations: Sequence[Violation], kind: str) -> int:
    return sum(one.kind == kind for one in violations)


def slowest_503(load: Load) -> float | None:
    return max((one.seconds for one in load.refused if one.status == UNAVAILABLE), default=None)
