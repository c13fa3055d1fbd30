"""Commands against a real system."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import psycopg

from cli.connection import Connection
from cli.demo.command import QUESTIONS
from tests.started import GRADELINE, Run, clean_environment

QUESTION = {"id": "cli-1", "type": "true_false", "prompt": "Is it?", "answer": {"value": True}}


def said(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    """What a command printed as JSON."""
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    return json.loads(done.stdout)


def test_questions_are_imported_once_and_left_alone_the_second_time(run: Run) -> None:
    assert said(run("import", QUESTIONS, "--json")) == {"imported": 28, "unchanged": 0, "problems": []}
    assert said(run("import", QUESTIONS, "--json")) == {"imported": 0, "unchanged": 28, "problems": []}


def test_bad_lines_are_named_and_the_others_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "questions.ndjson"
    bad = {**QUESTION, "id": "cli-2", "type": "riddle"}
    file.write_text("\n".join(["", json.dumps(QUESTION), "{", json.dumps(bad)]))
    done = run("import", file)
    assert done.returncode == 1
    assert done.stdout == "1 question imported, 0 already there, 2 lines refused\n"
    first, second = done.stderr.splitlines()
    assert first.startswith("line 3: not valid JSON")
    assert second.startswith("line 4: ")
    assert "/type" in second


def test_the_bank_is_searched_by_words_and_filters(run: Run) -> None:
    bank = [
        {**QUESTION, "id": f"cli-find-{level}", "prompt": f"Is 자료 구조 number {level} fine?", "difficulty": level}
        for level in range(1, 6)
    ]
    run("import", "-", stdin="\n".join(map(json.dumps, bank)))

    def ids(*arguments: str) -> list[str]:
        return [question["id"] for question in said(run("questions", *arguments, "--json"))]

    assert ids("자료구조", "NUMBER") == [f"cli-find-{level}" for level in range(1, 6)]
    assert ids("자료구조", "--difficulty", "2-3") == ["cli-find-2", "cli-find-3"]
    assert ids("자료구조", "--difficulty", "5") == ["cli-find-5"]
    assert ids("자료구조", "--limit", "1") == ["cli-find-1"]
    assert ids("nothing-like-it") == []
    few = run("questions", "자료구조", "--limit", "2")
    assert "cli-find-2" in few.stdout
    assert few.stderr == "and more; see them with --limit 20\n"
    refused = run("questions", "x")
    assert (refused.returncode, "two letters" in refused.stderr) == (1, True)


def test_standard_input_can_be_imported(run: Run) -> None:
    done = run("import", "-", "--json", stdin=json.dumps({**QUESTION, "id": "cli-3"}))
    assert said(done)["imported"] == 1


def test_a_bank_of_another_system_is_imported_and_told_of_item_by_item(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bank.gift"
    file.write_text("::cli gift:: 2 + 2? {=4 ~5}\n\n::said:: words\n\n::cli flat:: The earth is flat. {F}")
    report = said(run("import", file, "--json"), 1)
    assert (report["imported"], report["unchanged"], report["refused"]) == (2, 0, 1)
    assert [item.get("id") for item in report["items"]] == ["cli-gift", None, "cli-flat"]
    again = run("import", file)
    assert again.returncode == 1
    assert again.stdout.endswith("gift: 0 questions imported, 2 already there, 1 refused\n")


def test_a_new_key_opens_the_api_until_it_is_revoked(run: Run, connection: Connection) -> None:
    def status(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.get(f"{connection.url}/v1/ops/queues", headers=headers).status_code

    created = said(run("keys", "create", "--tenant", "school", "--role", "operator", "--json"))
    assert status(created["secret"]) == 200
    listed = said(run("keys", "list", "--tenant", "school", "--json"))
    assert [(key["id"], key["revoked_at"]) for key in listed] == [(created["id"], None)]
    assert created["secret"] not in json.dumps(listed)
    assert run("keys", "revoke", created["id"]).returncode == 0
    assert said(run("keys", "list", "--tenant", "school", "--json"))[0]["revoked_at"] is not None


def test_a_tenant_that_a_name_made_by_mistake_is_told(run: Run) -> None:
    """The first key of a name makes the tenant; a slip of the pen would go unseen."""
    first, second = (run("keys", "create", "--tenant", "scool").stderr for _ in range(2))
    assert first.startswith("submitter of scool, whose first key it is, id ")
    assert second.startswith("submitter of scool, id ")


def test_a_key_that_is_not_there_cannot_be_revoked(run: Run) -> None:
    for key_id in ("nonsense", "01890a5d-ac96-774b-bcce-b302099a8057"):
        done = run("keys", "revoke", key_id)
        assert (done.returncode, done.stderr) == (1, "Error: There is no such key.\n")


def test_queues_are_shown(run: Run) -> None:
    names = [queue["name"] for queue in said(run("queues", "--json"))]
    assert {"score", "recommend", "metrics", "feedback"} <= set(names)
    shown = run("queues").stdout
    assert all(name in shown for name in names)


def test_there_are_no_dead_letters(run: Run) -> None:
    assert said(run("dead", "list", "--json")) == []
    listed = run("dead", "list")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "no dead letters\n")
    assert said(run("dead", "retry", "--all", "--reason", "to see", "--json")) == {"count": 0, "ids": [], "skipped": []}


def test_an_id_without_dead_stage_is_told_and_is_a_failure(run: Run) -> None:
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
    done = run("dead", "discard", unknown, "--reason", "to see", "--json")
    assert said(done, code=1) == {"count": 0, "ids": [], "skipped": [unknown]}


def test_a_wrong_key_and_a_key_of_another_role_are_one_line(run: Run, connection: Connection) -> None:
    wrong = run("queues", "--url", connection.url, "--api-key", "gl_wrong")
    assert (wrong.returncode, wrong.stderr) == (1, "Error: 401: The API key is unknown or revoked.\n")
    teacher = run("queues", "--api-key", connection.api_key)
    assert (teacher.returncode, teacher.stderr) == (1, "Error: 403: A teacher may not do this; it takes an operator.\n")


def test_the_doctor_finds_a_running_system_well(run: Run, connection: Connection) -> None:
    findings = {finding["subject"]: finding for finding in said(run("doctor", "--json"))}
    assert {finding["level"] for finding in findings.values()} == {"ok"}
    assert findings["running system"]["found"] == f"ready at {connection.url}"
    assert findings["database"]["found"].startswith("PostgreSQL ")
    assert findings["redis, queues"]["found"].startswith("Valkey ")


def test_the_doctor_says_when_the_system_knows_nothing_of_the_keys_of_this_shell(run: Run) -> None:
    """Keys are taken when a system starts; one that is exported later helps nobody."""
    findings = {one["subject"]: one for one in said(run("doctor", "--json", OPENAI_API_KEY="sk-later"))}
    assert findings["its models"]["level"] == "warn"
    assert findings["its models"]["found"].endswith("than this shell names: built-in templates alone")
    assert "sk-later" not in str(findings)


def test_queues_watched_through_a_pipe_come_as_they_are(home: Path, connection: Connection) -> None:
    """The first table can be read while the command goes on; Ctrl-C ends it well."""
    assert connection.url
    command: list[str | Path] = [GRADELINE, "queues", "--watch", "--home", home]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        tables = 0
        while tables < 2:  # the second table has its row too: it was printed again
            line = watching.stdout.readline()
            assert line, "it ended by itself"
            tables += line.split()[:1] == ["score"]
        assert watching.poll() is None
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
        assert watching.wait(30) == 0


def test_migrating_again_is_no_work(run: Run) -> None:
    done = run("migrate")
    assert (done.returncode, done.stdout) == (0, "the database has the newest schema\n")


def test_what_was_learnt_is_checked_and_rebuilt(run: Run, connection: Connection) -> None:
    """A skill that nothing in history accounts for is told, is a failure of the check, and is gone after a rebuild."""
    assert said(run("learners", "rebuild", "--check", "--json"))["default"]["differences"] == 0
    with psycopg.connect(str(connection.database_url), autocommit=True) as database:
        database.execute(
            "INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, updated_at)"
            " SELECT id, 'nobody', 'nothing', 1, 1, 1, now() FROM tenants WHERE name = 'default'"
        )
        database.execute("INSERT INTO learners (tenant_id, id) SELECT id, 'nobody' FROM tenants WHERE name = 'default'")
    checked = run("learners", "rebuild", "--check", "--tenant", "default")
    assert checked.returncode == 1
    assert "default: the skill of 'nobody' in 'nothing' is {" in checked.stdout
    assert "and should be None" in checked.stdout
    assert said(run("learners", "rebuild", "--json"))["default"]["differences"] == 1
    assert said(run("learners", "rebuild", "--check", "--json"))["default"]["differences"] == 0


def test_a_tenant_that_is_not_there_cannot_be_rebuilt(run: Run) -> None:
    done = run("learners", "rebuild", "--tenant", "nowhere")
    assert (done.returncode, done.stderr.strip()) == (1, "Error: there is no tenant 'nowhere'")
