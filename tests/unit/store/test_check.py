import pytest

from pipeline.store.check import fault_of, place


@pytest.mark.parametrize("version", [140_000, 140_012, 180_006])
def test_postgres_14_and_newer_will_do(version: int) -> None:
    assert fault_of(version, "UTF8", "on", read_only=False) is None


@pytest.mark.parametrize(
    ("version", "encoding", "synchronous_commit", "read_only", "said"),
    [
        (130_022, "UTF8", "on", False, "is version 13"),
        (160_000, "SQL_ASCII", "on", False, "holds SQL_ASCII"),
        (160_000, "UTF8", "on", True, "is read-only"),
        (160_000, "UTF8", "off", False, "synchronous_commit off"),
    ],
)
def test_what_is_wrong_with_a_postgres_is_said(
    version: int, encoding: str, synchronous_commit: str, read_only: bool, said: str
) -> None:
    fault = fault_of(version, encoding, synchronous_commit, read_only)
    assert fault is not None
    assert said in fault


@pytest.mark.parametrize("level", ["local", "remote_write", "remote_apply"])
def test_every_commit_that_waits_for_a_disk_will_do(level: str) -> None:
    assert fault_of(160_000, "UTF8", level, read_only=False) is None


def test_a_place_never_shows_user_or_password() -> None:
    assert place("postgresql://me:p@ss@host:5432/db?sslmode=require") == "host:5432/db"
