"""Workers that die, freeze or are told to stop, in the middle of work."""

import asyncio
import signal
import time
from pathlib import Path

import psutil

from tests.integration.faults.system import System, open_transactions
from tests.process import Process
from tests.sums import assert_all_completed_once, assert_sums_hold
from workers.process import TIDY_SECONDS

MANY = 300


async def test_killing_a_worker_in_the_middle_loses_nothing(system: System) -> None:
    """kill -9 with claims in hand: a worker that comes later finishes them, each once."""
    hold = a_hold(system)
    first = system.hooked_worker(FAULT_HOLD=str(hold))
    await system.submit(MANY)
    await system.until(lambda: held(system, 20))
    first.kill()
    hold.unlink()
    system.worker()
    await system.until_completed(MANY)
    await assert_all_completed_once(system.parts.servers.engine, MANY)
    assert await system.count("SELECT count(*) FROM attempts WHERE ended = 'lease_lost'") > 0


async def test_a_frozen_worker_cannot_overwrite_a_newer_result(system: System) -> None:
    """SIGSTOP, its work done by another, SIGCONT: what it brings late is refused, and it works on."""
    hold = a_hold(system)
    zombie = system.hooked_worker(FAULT_HOLD=str(hold))
    await system.submit(20)
    await system.until(lambda: held(system, 5))  # feedback, which it cannot finish before it is frozen
    zombie.send(signal.SIGSTOP)
    hold.unlink()
    other = system.worker()
    await system.until_completed(20)
    finished = await system.rows("SELECT * FROM results ORDER BY submission_id, stage")
    stages = await system.rows("SELECT * FROM stages ORDER BY submission_id, stage")
    zombie.send(signal.SIGCONT)
    await system.until(lambda: beats_again(system))
    other.kill()
    await system.submit(5, learner="later")
    await system.until_completed(25)
    await assert_all_completed_once(system.parts.servers.engine, 25)
    old = await system.rows(
        "SELECT * FROM results WHERE submission_id = ANY(CAST(:ids AS uuid[])) ORDER BY submission_id, stage",
        ids=[str(row.submission_id) for row in finished],
    )
    assert old == finished
    assert {row.epoch for row in stages} > {1}


async def beats_again(system: System) -> bool:
    """Both workers have been heard of within the last second."""
    sql = "SELECT count(*) FROM workers WHERE heartbeat_at > clock_timestamp() - interval '1 s'"
    return await system.count(sql) == 2


async def test_a_worker_told_to_stop_finishes_what_runs(system: System) -> None:
    """SIGTERM under load: exit 0 in time, nothing lost, nothing left running."""
    worker = system.worker()
    await system.submit(MANY)
    await system.until_completed(10)
    worker.send(signal.SIGTERM)
    await stopped_in_order(system, worker)
    assert await system.count("SELECT count(*) FROM attempts") == 0
    system.worker()
    await system.until_completed(MANY)
    await assert_all_completed_once(system.parts.servers.engine, MANY)


async def test_a_worker_told_to_stop_gives_back_what_it_cannot_finish(system: System) -> None:
    """Work that takes longer than the time to stop goes back uncounted and unsuspected."""
    hold = a_hold(system)
    worker = system.hooked_worker(FAULT_HOLD=str(hold))
    await system.submit(20)
    await system.until(lambda: held(system, 20))
    worker.send(signal.SIGTERM)
    await stopped_in_order(system, worker)
    ended = await system.rows("SELECT DISTINCT ended FROM attempts")
    assert [row.ended for row in ended] == ["gave_back"]
    ready = await system.rows("SELECT DISTINCT state, attempts, solo FROM stages WHERE stage = 'feedback'")
    assert [tuple(row) for row in ready] == [("ready", 0, False)]
    hold.unlink()
    system.worker()
    await system.until_completed(20)
    await assert_all_completed_once(system.parts.servers.engine, 20)


async def held(system: System, count: int) -> bool:
    sql = "SELECT count(*) FROM stages WHERE stage = 'feedback' AND state = 'running'"
    return await system.count(sql) >= count


async def test_a_worker_that_waits_for_postgres_stops_when_told(system: System) -> None:
    """It has not even begun: it would wait a minute for Postgres, and a signal ends that at once."""
    system.postgres.stop()
    worker = system.worker()
    while "worker.starting" not in worker.logged():
        assert worker.lives, worker.tail()
        await asyncio.sleep(0.02)
    worker.send(signal.SIGTERM)
    await gone(system, worker)
    system.postgres.start()
    assert worker.exit_code == 0, worker.tail()
    assert "Traceback" not in worker.logged(), worker.logged()


async def test_a_worker_stops_in_time_though_postgres_is_frozen(system: System) -> None:
    """It can neither finish nor give back; its leases run out, and nothing is lost."""
    worker = system.worker()
    await system.submit(MANY)
    await system.until_completed(10)
    postmaster = psutil.Process(system.postgres.pid)
    frozen = [postmaster, *postmaster.children(recursive=True)]
    for process in frozen:
        process.suspend()
    try:
        worker.send(signal.SIGTERM)
        await gone(system, worker)
    finally:
        for process in frozen:
            process.resume()
    assert worker.exit_code == 0, worker.tail()
    assert "Traceback" not in worker.logged(), worker.logged()
    system.worker()
    await system.until_completed(MANY)
    await assert_all_completed_once(system.parts.servers.engine, MANY)


async def gone(system: System, process: Process) -> None:
    """Wait until it has ended, in the time that it is given and a little more for being tidy."""
    deadline = time.monotonic() + system.settings.shutdown_seconds + 2 * TIDY_SECONDS
    while process.lives:  # asks no database, which may be away
        assert time.monotonic() < deadline, process.tail()
        await asyncio.sleep(0.02)


async def stopped_in_order(system: System, worker: Process) -> None:
    async def gone() -> bool:
        return not worker.lives

    await system.until(gone, seconds=system.settings.shutdown_seconds + 1)
    assert worker.exit_code == 0, worker.tail()
    assert "Traceback" not in worker.logged(), worker.logged()
    assert await system.count("SELECT count(*) FROM stages WHERE state = 'running'") == 0
    assert await system.count("SELECT count(*) FROM workers") == 0


async def test_a_submission_that_kills_its_worker_is_buried_and_its_neighbours_complete(system: System) -> None:
    """Workers are started again as often as it kills them; it dies after its attempts, alone."""
    await system.submit(30)
    await system.submit(1, learner="poison")
    workers = [system.hooked_worker(FAULT_POISON="poison-0")]

    async def settled() -> bool:
        if not workers[-1].lives:
            workers.append(system.hooked_worker(FAULT_POISON="poison-0"))
        sql = "SELECT count(*) FROM submissions WHERE status IN ('completed', 'failed')"
        return await system.count(sql) == 31

    await system.until(settled)
    assert await system.completed() == 30
    dead = await system.rows(
        "SELECT s.status, s.learner_id, t.attempts FROM submissions s JOIN stages t ON t.submission_id = s.id"
        " WHERE t.state = 'dead'"
    )
    assert [tuple(row) for row in dead] == [("failed", "poison-0", system.settings.max_attempts)]
    deaths = sum(worker.exit_code == -signal.SIGKILL for worker in workers)
    assert deaths == system.settings.max_attempts + 1  # the first death might have been a neighbour's doing
    await assert_sums_hold(system.parts.servers.engine)


def a_hold(system: System) -> Path:
    """A file that keeps the hooked worker's feedback from ending."""
    path = system.settings.home / "hold"
    path.touch()
    return path


async def test_nothing_is_left_open_in_postgres_after_a_stop(system: System) -> None:
    """A stopped worker leaves no session in the middle of something."""
    worker = system.worker()
    await system.submit(50)
    await system.until_completed(1)
    worker.send(signal.SIGTERM)
    await stopped_in_order(system, worker)

    async def quiet() -> bool:
        return open_transactions(system) == 0

    await system.until(quiet)


async def test_a_worker_stands_back_for_those_who_answer(system: System) -> None:
    """Who hands in waits for the answer; the work on it may wait its turn."""
    worker = system.worker()
    await system.until_workers(1)
    own = psutil.Process().nice()
    assert psutil.Process(worker.popen.pid).nice() == min(19, own + system.settings.worker_nice) > own
