"""compose.yaml, as far as it can be checked without an engine."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Literal

import click
import msgspec
import pytest
import yaml

from cli.main import main
from cli.process import QUEUES
from pipeline.settings import PREFIX, Settings, read_settings

PASSWORDS = {"POSTGRES_PASSWORD": "pw1", "VALKEY_PASSWORD": "pw2"}
REFERENCE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?P<operator>:[-?])?(?P<word>[^}]*)\}")

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


class Part(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of the Compose Specification that the file may use; a misspelt one is refused."""


class HealthCheck(Part):
    test: list[str] = []
    interval: str = ""
    timeout: str = ""
    start_period: str = ""
    retries: int = 3
    disable: bool = False


class Dependency(Part):
    condition: Condition


class Service(Part):
    image: str
    build: str | None = None
    command: list[str] = []
    environment: dict[str, str] = {}
    depends_on: dict[str, Dependency] = {}
    healthcheck: HealthCheck | None = None
    restart: str = "no"
    ports: list[str] = []
    volumes: list[str] = []
    tmpfs: list[str] = []
    init: bool = False
    read_only: bool = False
    cap_drop: list[str] = []
    security_opt: list[str] = []
    shm_size: str = ""
    stop_signal: str = "SIGTERM"
    stop_grace_period: str = "10s"


class Composition(Part):
    name: str
    services: dict[str, Service]
    volumes: dict[str, None] = {}


def interpolated(value: Any, variables: dict[str, str]) -> Any:
    """`value` with `${NAME:-default}`, `${NAME:?reason}` and `$$` resolved in its texts, as Compose does."""
    if isinstance(value, dict):
        return {name: interpolated(part, variables) for name, part in value.items()}
    if isinstance(value, list):
        return [interpolated(part, variables) for part in value]
    return REFERENCE.sub(lambda found: resolved(found, variables), value) if isinstance(value, str) else value


def resolved(found: re.Match[str], variables: dict[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    if variables.get(found["name"]):
        return variables[found["name"]]
    assert found["operator"] != ":?", f"{found['name']} is required"
    return found["word"]


@pytest.fixture(scope="session")
def text(repository: Path) -> str:
    return (repository / "compose.yaml").read_text()


@pytest.fixture(scope="session")
def composition(text: str) -> Composition:
    raw = interpolated(yaml.safe_load(text), PASSWORDS)
    return msgspec.convert({name: part for name, part in raw.items() if not name.startswith("x-")}, Composition)


@pytest.fixture(scope="session")
def ours(composition: Composition) -> dict[str, Service]:
    """The services that run our image."""
    return {name: service for name, service in composition.services.items() if service.build}


def context_of(command: list[str]) -> click.Context:
    """The command as the command line understands it, without running it."""
    root = click.Context(main, **main.context_settings)
    found = main.get_command(root, command[0])
    assert found is not None, f"there is no command {command[0]}"
    return found.make_context(command[0], list(command[1:]), parent=root)


def test_every_command_is_one_that_gradeline_takes(ours: dict[str, Service]) -> None:
    assert ours
    for service in ours.values():
        context_of(service.command)


def test_every_queue_has_exactly_one_kind_of_worker(ours: dict[str, Service]) -> None:
    workers = [service.command for service in ours.values() if service.command[0] == "worker"]
    served = [stage for command in workers for stage in context_of(command).params["stages"].split(",")]
    assert sorted(served) == sorted(QUEUES)


def test_every_gradeline_variable_is_a_setting(ours: dict[str, Service]) -> None:
    for service in ours.values():
        settings = read_settings({n: value for n, value in service.environment.items() if n.startswith(PREFIX)})
        assert settings.database_url == "postgresql://gradeline:pw1@postgres:5432/gradeline"
        assert settings.redis_url == "redis://:pw2@valkey:6379/0"


def test_the_addresses_name_services_of_the_file(composition: Composition, ours: dict[str, Service]) -> None:
    addresses = [value for service in ours.values() for name, value in service.environment.items() if "_URL" in name]
    assert {re.sub(r".*@(\w+):.*", r"\1", address) for address in addresses} <= composition.services.keys()


def test_a_missing_password_stops_compose(text: str) -> None:
    for missing in PASSWORDS:
        rest = {name: value for name, value in PASSWORDS.items() if name != missing}
        with pytest.raises(AssertionError, match=missing):
            interpolated(yaml.safe_load(text), rest)


def test_no_secret_has_a_default(text: str) -> None:
    """It must be given, or there is none: models are not asked without a key."""
    secrets = [found for found in REFERENCE.finditer(text) if re.search("PASSWORD|SECRET|KEY", found["name"] or "")]
    assert secrets
    assert {(found["operator"], found["operator"] == ":?" or found["word"]) for found in secrets} == {
        (":?", True),
        (":-", ""),
    }


def test_images_are_pinned_by_tag(composition: Composition, project: dict[str, Any]) -> None:
    images = {name: service.image for name, service in composition.services.items()}
    assert [image for image in images.values() if not re.fullmatch(r"[\w./-]+:\d[\w.-]*", image)] == []
    assert images["api"] == f"gradeline:{project['project']['version']}"


def test_our_containers_have_no_rights_they_do_not_need(ours: dict[str, Service]) -> None:
    for service in ours.values():
        assert service.read_only
        assert service.cap_drop == ["ALL"]
        assert service.security_opt == ["no-new-privileges:true"]


def test_containers_get_longer_to_stop_than_work_gets_to_finish(ours: dict[str, Service]) -> None:
    for service in ours.values():
        assert float(service.stop_grace_period.removesuffix("s")) > Settings().shutdown_seconds + 5


def test_whatever_is_waited_for_can_become_so(composition: Composition) -> None:
    for service in composition.services.values():
        for name, dependency in service.depends_on.items():
            target = composition.services[name]
            if dependency.condition == "service_healthy":
                assert target.healthcheck
                assert target.healthcheck.test
            if dependency.condition == "service_completed_successfully":
                assert target.restart in {"no", "on-failure:3"}


def test_nothing_is_served_before_the_schema_is_there(ours: dict[str, Service]) -> None:
    waiting = {name for name, service in ours.items() if "migrate" in service.depends_on}
    assert waiting == ours.keys() - {"migrate"}


def test_data_lives_in_declared_volumes(composition: Composition) -> None:
    mounts = [mount.split(":") for service in composition.services.values() for mount in service.volumes]
    assert {source for source, _ in mounts} == composition.volumes.keys()
    # The image of PostgreSQL 18 keeps its data below this directory, in one named after the major version.
    assert ["postgres", "/var/lib/postgresql"] in mounts


def test_only_the_api_is_published_and_only_to_this_host(composition: Composition) -> None:
    ports = {name: service.ports for name, service in composition.services.items() if service.ports}
    assert ports == {"api": ["127.0.0.1:8000:8000"]}


def test_docker_compose_accepts_the_file(repository: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    command = [docker, "compose", "--file", str(repository / "compose.yaml"), "config", "--quiet"]
    asked = subprocess.run(command, env=PASSWORDS, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
