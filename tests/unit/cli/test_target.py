from pathlib import Path

import pytest

from cli.connection import Connection, write_connection
from cli.target import Target, find_target
from pipeline.errors import EnvironmentFault

RUNNING = Connection("http://127.0.0.1:5", "teacher", "operator", "postgresql://", "redis://", {})


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADELINE_URL", "GRADELINE_API_KEY", "GRADELINE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_connection(tmp_path, RUNNING)
    return tmp_path


def test_options_win_over_everything(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADELINE_URL", "http://variable")
    monkeypatch.setenv("GRADELINE_API_KEY", "variable")
    assert find_target("http://option/", "option", home) == Target("http://option", "option")


@pytest.mark.parametrize("key", ["gl_ä", "gl_a\nb", "gl a", "\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(home: Path, key: str) -> None:
    with pytest.raises(EnvironmentFault, match="--api-key or GRADELINE_API_KEY") as refused:
        find_target("http://option/", key, home)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["notaurl", "ftp://x", "http://", "http://[::1", "http://127.0.0.1:99999", "http://a b/", "http://x:y"]
)
def test_what_is_no_address_of_a_server_is_refused_by_its_name(home: Path, url: str) -> None:
    with pytest.raises(EnvironmentFault) as refused:
        find_target(url, "key", home)
    assert str(refused.value).startswith(f"{url} is not the address of a server")


def test_variables_win_over_what_runs_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADELINE_URL", "http://variable")
    monkeypatch.setenv("GRADELINE_API_KEY", "variable")
    assert find_target(None, None, home) == Target("http://variable", "variable")


def test_what_runs_here_is_opened_with_the_key_the_command_needs(home: Path) -> None:
    assert find_target(None, None, home) == Target(RUNNING.url, "teacher")
    assert find_target(None, None, home, operator=True) == Target(RUNNING.url, "operator")


def test_a_home_can_be_named_by_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADELINE_HOME", str(home))
    assert find_target(None, None, None).url == RUNNING.url


def test_a_key_alone_is_sent_to_what_runs_here(home: Path) -> None:
    assert find_target(None, "mine", home) == Target(RUNNING.url, "mine")


def test_the_key_of_what_runs_here_is_never_sent_elsewhere(home: Path) -> None:
    with pytest.raises(EnvironmentFault, match="--api-key"):
        find_target("http://elsewhere", None, home)
    assert find_target(RUNNING.url, None, home).key == "teacher"
