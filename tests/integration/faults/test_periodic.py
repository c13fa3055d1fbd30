"""A worker killed in the middle of a periodic job."""

from pathlib import Path

from tests.integration.faults.system import System

DUE = """
INSERT INTO periodic_runs (job, slot, state, attempts, available_at)
VALUES ('counting', date_trunc('day', now()), 'waiting', 0, now()) RETURNING job
"""


async def test_another_worker_goes_on_where_a_killed_one_was(system: System) -> None:
    """kill -9 in the fourth of six pieces: three are not done again, and the run ends well."""
    folder = system.settings.home / "job"
    folder.mkdir()
    (folder / "hold").touch()
    await system.rows(DUE)
    first = system.hooked_worker(FAULT_JOB=str(folder))
    await system.until(lambda: done(folder, 4))
    first.kill()
    (folder / "hold").unlink()
    second = system.hooked_worker(FAULT_JOB=str(folder))

    async def ended() -> bool:
        return await system.count("SELECT count(*) FROM periodic_runs WHERE job = 'counting' AND state = 'done'") == 1

    await system.until(ended)
    assert pieces(folder) == [(first.popen.pid, n) for n in range(4)] + [(second.popen.pid, n) for n in range(3, 6)]
    row = (await system.rows("SELECT attempts, progress, error FROM periodic_runs WHERE job = 'counting'"))[0]
    assert (row.progress, row.error) == ({"pieces": 6}, None)


async def done(folder: Path, count: int) -> bool:
    return len(pieces(folder)) >= count


def pieces(folder: Path) -> list[tuple[int, int]]:
    """Which process did which piece, in order."""
    path = folder / "pieces"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(pid), int(piece)) for pid, piece in map(str.split, lines)]
