from pathlib import Path

from pipeline.embedded.identity import Identity, closed_to

STRANGER = Identity(uid=60_001, gid=60_001)


def owner_of(path: Path) -> Identity:
    status = path.stat()
    return Identity(status.st_uid, status.st_gid)


def test_the_first_directory_closed_to_somebody_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    closed.chmod(0o700)
    found = closed_to(STRANGER, closed / "open" / "not there yet")
    assert found in (closed, *closed.parents)
    assert closed_to(owner_of(closed), closed / "open") != closed


def test_a_directory_that_may_be_entered_but_not_read_is_no_obstacle_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "above" / "below").mkdir(parents=True)
    (tmp_path / "above").chmod(0o711)
    (tmp_path / "above" / "below").chmod(0o755)
    assert closed_to(STRANGER, tmp_path / "above" / "below") != tmp_path / "above"


def test_the_way_to_what_everybody_may_read_is_open() -> None:
    assert closed_to(STRANGER, Path("/etc/passwd")) is None
