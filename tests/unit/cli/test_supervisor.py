from pathlib import Path

import msgspec
import pytest

from cli.supervisor import address_of, describe, environment_of
from pipeline.settings import Settings, read_settings


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(
            database_url="postgresql://me:secret@host/db",
            redis_url="redis://host/0",
            home=Path("/a home"),
            port=0,
            rate_limits="off",
            webhook_allow_private=True,
            shutdown_seconds=0.25,
        ),
    ],
)
def test_a_part_reads_from_its_environment_the_settings_it_was_given(settings: Settings) -> None:
    assert read_settings(environment_of(settings, {"GRADELINE_PORT": "1", "PATH": "/bin"})) == settings


def test_a_part_keeps_the_rest_of_the_environment() -> None:
    assert environment_of(Settings(), {"OPENAI_API_KEY": "k"})["OPENAI_API_KEY"] == "k"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - not bound here
        ("::", "http://[::1]:8000"),
        ("grade.example", "http://grade.example:8000"),
    ],
)
def test_an_api_that_listens_everywhere_is_reached_on_the_loopback_address(host: str, url: str) -> None:
    assert address_of(msgspec.structs.replace(Settings(), host=host)) == url


@pytest.mark.parametrize(("code", "said"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal SIGKILL")])
def test_an_end_is_described_by_exit_code_or_signal(code: int, said: str) -> None:
    assert describe(code) == said
