"""The command line as a whole: what it says of itself, and how it fails."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError

from cli.handing_in import HandedIn
from cli.main import COMMANDS, main
from cli.outcome import Outcome
from cli.process import QUEUES
from pipeline.execution import DELIVER, GENERATE
from pipeline.lifecycle import Stage

HEAVY = ("sqlalchemy", "httpx", "rich", "redis", "psycopg", "litestar", "dramatiq", "uvloop")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that name it, commands of groups too."""
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())


def run(*arguments: str, **environment: str) -> Result:
    clean = dict.fromkeys(("GRADELINE_URL", "GRADELINE_API_KEY", "GRADELINE_HOME", "GRADELINE_DATABASE_URL"))
    return CliRunner().invoke(main, arguments, env={**clean, **environment})


LOADED = f"""
import sys
from cli.main import main
main(["--help"], standalone_mode=False)
print("loaded:", sorted(set(sys.modules) & set({HEAVY})))
"""


def test_help_lists_every_command_without_loading_any() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert all(f"  {name}  " in done.stdout for name in COMMANDS)
    assert done.stdout.endswith("loaded: []\n")


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_help_text_shows_an_example_of_this_command(name: str, command: click.Command) -> None:
    shown = run(*name.split(), "--help").output
    assert f"gradeline {name}" in shown.partition("Example:")[2]
    assert command.help


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.help or "").partition("\n\n")[0].replace("\n", " ") == COMMANDS[name].summary


def test_an_unknown_command_or_option_is_wrong_usage() -> None:
    assert run("grade").exit_code == 2
    assert run("queues", "--nonsense").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("submit", "FILE"),
        ("import", "FILE"),
        ("queues",),
        ("dead", "list"),
        ("dead", "retry", "--all", "--reason", "x"),
    ],
)
def test_client_commands_say_in_one_line_that_nothing_runs(arguments: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "one.ndjson"
    file.write_text("{}")
    done = run(*(str(file) if part == "FILE" else part for part in arguments), "--home", str(tmp_path))
    assert done.exit_code == 1
    assert done.output == (
        f"Error: no Gradeline runs in {tmp_path}; start one with `gradeline up`, or name one with --url and --api-key\n"
    )


@pytest.mark.parametrize("command", ["submit", "import"])
def test_a_file_that_is_not_there_is_one_line(command: str, tmp_path: Path) -> None:
    done = run(command, str(tmp_path / "none"), "--url", "http://127.0.0.1:1", "--api-key", "k")
    assert (done.exit_code, done.output) == (
        1,
        f"Error: cannot read {tmp_path / 'none'}: No such file or directory\n",
    )


def test_a_server_that_is_not_there_is_one_line() -> None:
    done = run("queues", "--url", "http://127.0.0.1:1", "--api-key", "k")
    assert done.exit_code == 1
    assert done.output.startswith("Error: cannot reach Gradeline at http://127.0.0.1:1: ")
    assert done.output.count("\n") == 1


@pytest.mark.parametrize("command", ["keys list", "migrate", "worker", "api"])
def test_commands_that_need_a_database_name_the_missing_setting(command: str, tmp_path: Path) -> None:
    done = run(*command.split(), "--home", str(tmp_path))
    assert done.exit_code == 1
    assert done.output.startswith("Error: GRADELINE_DATABASE_URL is not set")
    assert "--home" in done.output


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    done = run("migrate", "--home", str(tmp_path), GRADELINE_PORT="many")
    assert done.exit_code == 1
    assert done.output.startswith("Error: GRADELINE_PORT must be a whole number from 0 to 65535, not 'many'")


@pytest.mark.parametrize("option", ["--tenant", "--name"])
@pytest.mark.parametrize("name", ["", " ", " school", "a\nb", "a\x00b", "x" * 101])
def test_a_name_that_cannot_be_read_is_wrong_usage(option: str, name: str, tmp_path: Path) -> None:
    done = run("keys", "create", option, name, "--home", str(tmp_path))
    assert done.exit_code == 2
    assert "must be 1 to 100 printable characters" in done.output


def test_a_database_error_is_one_line_without_the_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        broken = CheckViolation("a check is violated\nDETAIL:  Failing row contains (7, whsec_secret).")
        raise IntegrityError("INSERT", {"secret": "whsec_secret"}, broken)

    monkeypatch.setattr("cli.keys.ask", fail)
    done = run("keys", "create", "--home", str(tmp_path))
    assert (done.exit_code, done.output) == (
        1,
        "Error: the database refused what we asked (CheckViolation): a check is violated\n",
    )


def test_dead_letters_are_named_in_exactly_one_way() -> None:
    for options in ((), ("--all", "--stage", "score"), ("id", "--all"), ("id", "--error", "x")):
        done = run("dead", "retry", *options, "--reason", "x", "--url", "http://127.0.0.1:1", "--api-key", "k")
        assert done.exit_code == 2
        assert "by ids, by --stage and --error, or by --all" in done.output


def test_stages_of_a_worker_are_checked_before_it_starts() -> None:
    done = run("worker", "--stages", "score,grade")
    assert done.exit_code == 2
    assert "'grade' is not one of score, recommend, metrics, feedback, deliver" in done.output


def test_a_worker_may_take_every_queue_there_is() -> None:
    assert set(QUEUES) == {*Stage, DELIVER, GENERATE}


def test_results_are_written_only_where_they_are_waited_for() -> None:
    assert run("submit", "x", "--output", "y").exit_code == 2


def test_ctrl_c_says_what_was_accepted_and_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def interrupted(_target: object, _file: object, outcome: Outcome, **_: object) -> None:
        for name in ("s1", "s2"):
            outcome.kept(HandedIn(1, {"id": name, "status": "pending"}, repeated=False))
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.submit.submit_file", interrupted)
    done = run("submit", str(tmp_path / "x"), "--url", "http://127.0.0.1:1", "--api-key", "k")
    assert done.exit_code == 1
    assert done.output.startswith("Error: stopped; 2 submissions were accepted and stay so. The same command again")


def test_a_home_that_cannot_be_made_is_told_by_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("demo", "--home", str(tmp_path / "file" / "home"))
    assert done.exit_code == 1
    assert done.output.endswith("; choose another --home\n")


def test_bench_says_what_it_measures_where_nothing_is_named() -> None:
    shown = " ".join(run("bench", "--help").output.split())
    assert "[default: $GRADELINE_URL, or a system of its own]" in shown
    assert "a running `gradeline up`]" not in shown
