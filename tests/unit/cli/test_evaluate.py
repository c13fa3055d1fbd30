"""`gradeline evaluate`: logs of many shapes are read, bad lines named, figures told."""

from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli.answer_log import Doubt, read_log
from cli.main import main
from cli.ndjson import BadLine
from pipeline.errors import EnvironmentFault
from pipeline.learning.replay import UNTIMED, LoggedAnswer

LOG = "user,item,skill,correct\nu,a,s,1\nu,b,s,0\nv,a,s,1\n"


def evaluate(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], input=given)


def read(text: str, **named: str) -> list[LoggedAnswer | BadLine | Doubt]:
    return list(read_log(text.splitlines(keepends=True), named))


@pytest.mark.parametrize(
    "text",
    [
        "user,item,skill,correct\nu,a,s,1\n",
        "Student ID,problem_id,skill_name,Is-Correct\nu,a,s,TRUE\n",
        'correct\tuserId\tquestionId\tKC\n1.0\t"u"\ta\ts\n',
        "user;item;skill;correct;time\nu;a;s;1;\n",
    ],
)
def test_headers_of_many_kinds_name_the_same_columns(text: str) -> None:
    assert read(text) == [LoggedAnswer("u", "a", True, ("s",))]


def test_a_named_header_goes_before_the_usual_ones() -> None:
    assert read("user,item,Step,correct\nu,a,b,0\n", item="step") == [LoggedAnswer("u", "b", False)]


def test_a_log_without_a_needed_column_is_refused_by_name() -> None:
    with pytest.raises(EnvironmentFault, match="no column 'user'"):
        read("item,correct\na,1\n")
    with pytest.raises(EnvironmentFault, match="no column 'step'"):
        read("user,item,correct\nu,a,1\n", item="step")


def test_a_first_attempt_that_asks_for_a_hint_is_wrong() -> None:
    log = "Anon Student Id\tProblem Name\tFirst Attempt\nu\ta\thint\nu\ta\tcorrect\n"
    answers = read(log, correct="First Attempt")
    assert [one.correct for one in answers if isinstance(one, LoggedAnswer)] == [False, True]


def test_several_skills_are_split_and_none_is_general() -> None:
    answers = read("user,item,skill,correct\nu,a,s~~t~~s,1\nu,a,,1\nu,a,NA,1\n")
    assert [one.skills for one in answers if isinstance(one, LoggedAnswer)] == [("s", "t"), ("general",), ("general",)]


@pytest.mark.parametrize("time", ["2026-03-09T12:00:00+00:00", "2026-03-09 12:00", "1773057600", "1773057600000"])
def test_times_are_read_as_iso_or_seconds_or_milliseconds(time: str) -> None:
    (answer,) = read(f"user,item,correct,time\nu,a,1,{time}\n")
    assert isinstance(answer, LoggedAnswer)
    assert answer.at.isoformat() == "2026-03-09T12:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("u,a,s", "has only 3 columns"),
        ("u,a,s,0.5", "correct is '0.5', which is neither right (1) nor wrong (0)"),
        (",a,s,1", "user is empty"),
        ("u,NaN,s,1", "item is empty"),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_read(line: str, detail: str) -> None:
    assert read(f"user,item,skill,correct\n{line}\nu,a,s,1\n") == [
        BadLine(2, detail),
        LoggedAnswer("u", "a", True, ("s",)),
    ]


def test_a_field_beyond_all_bounds_is_a_bad_line() -> None:
    found = read(f"user,item,correct\nu,{'a' * 200_000},1\nu,b,1\n")
    assert isinstance(found[0], BadLine)
    assert found[1] == LoggedAnswer("u", "b", True)


@pytest.mark.parametrize(
    ("cells", "at", "choices", "difficulty"),
    [
        ("soon,4,2", UNTIMED, 4, 2),
        ("99999999999999999999,4,2", UNTIMED, 4, 2),
        ("0,many,2", UNTIMED, 0, 2),
        ("0,4,6", UNTIMED, 4, 3),
        ("0,4,2.5", UNTIMED, 4, 3),
    ],
)
def test_an_extra_that_cannot_be_read_is_doubted_and_the_answer_kept(
    cells: str, at: datetime, choices: int, difficulty: int
) -> None:
    doubt, answer = read(f"user,item,correct,time,choices,difficulty\nu,a,1,{cells}\n")
    assert isinstance(doubt, Doubt)
    assert answer == LoggedAnswer("u", "a", True, at=at, choices=choices, difficulty=difficulty)


def test_the_figures_of_a_small_log_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(LOG + "u,c,s,maybe\n")
    done = evaluate("skills", log, "--json")
    told = msgspec.json.decode(done.stdout)
    assert done.exit_code == 0
    assert (told["answers"], told["left_out"]) == (3, 1)
    assert list(told["models"]) == ["gradeline", "elo", "item mean", "mean"]
    assert told["remarks"][0]["number"] == 5
    # Right, wrong, right were predicted .5, 1, .5 by the mean: the wrong one above both others.
    assert told["models"]["mean"]["auc"] == 0.0
    assert len(told["models"]["gradeline"]["calibration"]) == 10


def test_the_table_comes_with_a_chart_in_text_and_in_svg(tmp_path: Path) -> None:
    log, chart = tmp_path / "log.csv", tmp_path / "chart.svg"
    log.write_text(LOG)
    done = evaluate("skills", log, "--chart", chart)
    assert "3 answers, 0 lines left out" in done.stdout
    assert chart.read_text().count("<circle") == done.stdout.count("observed 0.") + done.stdout.count("observed 1.") > 0


def test_standard_input_is_read_and_bytes_that_are_no_utf8_do_no_harm() -> None:
    done = CliRunner().invoke(main, ["evaluate", "skills", "-"], input=LOG.encode() + b"\xff,\xfe,s,\xfd\nu,a,\xff,1\n")
    assert done.exit_code == 0, done.output
    assert "4 answers, 1 lines left out" in done.stdout


@pytest.mark.parametrize("text", ["", "user,item,correct\n", "user,item,correct\nu,a,x\n"])
def test_a_log_without_answers_is_an_error(tmp_path: Path, text: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text)
    done = evaluate("skills", log)
    assert done.exit_code == 1
    assert "Error: " in done.stderr


def test_a_wrong_column_option_is_wrong_usage(tmp_path: Path) -> None:
    assert evaluate("skills", tmp_path / "x", "--column", "colour=red").exit_code == 2


def test_a_synthetic_log_is_read_back_without_a_remark(tmp_path: Path) -> None:
    log, truth = tmp_path / "log.csv", tmp_path / "items.csv"
    made = evaluate("synthesize", log, "--learners", "30", "--items", "8", "--topics", "2", "--truth", truth)
    assert made.exit_code == 0, made.output
    told = msgspec.json.decode(evaluate("skills", log, "--json", "--truth", truth).stdout)
    assert (told["answers"], told["left_out"], told["doubted"]) == (240, 0, 0)
    assert 0.5 < told["rank_correlation"]["gradeline"] <= 1.0
    assert "rank correlation of learnt and true difficulties 0." in evaluate("skills", log, "--truth", truth).stdout
    assert len(truth.read_text().splitlines()) == 9


def test_a_truth_without_difficulties_is_an_error(tmp_path: Path) -> None:
    log, truth = tmp_path / "log.csv", tmp_path / "items.csv"
    log.write_text(LOG)
    truth.write_text("item,difficulty\na,hard\n")
    assert "no CSV with the columns item and difficulty" in evaluate("skills", log, "--truth", truth).stderr
    truth.write_text("item,difficulty\nzzz,1\n")
    assert evaluate("skills", log, "--truth", truth).stdout.count("difficulties unknown") == 1
